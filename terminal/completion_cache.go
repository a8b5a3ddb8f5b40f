package terminal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
)

// How long an answer is used. Then the bridge is asked again; if it does not answer in time, the old one is used.
const (
	answerStays = 30 * time.Second
	answerLasts = 7 * 24 * time.Hour
)

// knowledge is what the bridge tells for completion, or told lately. Each key press is a new process, so it is in files.
type knowledge struct {
	env    *Env
	folder string // for this bridge and token; "": nothing is remembered
	link   Link
	failed bool // the bridge does not answer
}

// CacheFolder returns where answers of this bridge are remembered, "" if that cannot be known. What a client may see depends
// on its token, so that is part of the name, as a digest.
func CacheFolder(getenv func(string) string, url, token string) string {
	dir := getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".cache")
	}
	digest := sha256.Sum256([]byte(url + "\x00" + token))
	return filepath.Join(dir, "clu-ws", hex.EncodeToString(digest[:8]))
}

func (k *knowledge) close() {
	if k.link != nil {
		_ = k.link.Close() // nothing is lost with it
	}
}

// answer returns a lately remembered answer, else asks the bridge, else returns an old one.
func answer[T any](ctx context.Context, k *knowledge, op, actor string, fields map[string]any, read func(json.RawMessage) ([]T, error)) (value []T) {
	digest := sha256.Sum256([]byte(op + " " + actor))
	file := filepath.Join(k.folder, hex.EncodeToString(digest[:8]))
	age, known := answerLasts, false
	if k.folder != "" {
		if info, err := os.Stat(file); err == nil {
			if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &value) == nil {
				age, known = time.Since(info.ModTime()), true
			}
		}
	}
	if known && age >= 0 && age < answerStays {
		return value
	}
	if fresh, ok := ask(ctx, k, op, fields, read); ok {
		if len(fresh) > 0 { // soon there may be some
			k.remember(file, fresh)
		}
		return fresh
	}
	if age >= answerLasts {
		return nil
	}
	return value
}

// ask asks the bridge. One that did not answer is not asked again.
func ask[T any](ctx context.Context, k *knowledge, op string, fields map[string]any, read func(json.RawMessage) ([]T, error)) (value []T, ok bool) {
	if k.failed {
		return value, false
	}
	var err error
	if k.link == nil {
		if k.link, err = k.env.Dial(ctx); err != nil {
			k.link, k.failed = nil, true
			return value, false
		}
	}
	raw, err := k.link.Ask(ctx, op, fields)
	if err == nil {
		value, err = read(raw)
	}
	k.failed = ctx.Err() != nil
	return value, err == nil
}

// remember writes an answer for the next key. Another process may do the same: each file is whole.
func (k *knowledge) remember(file string, value any) {
	text, err := json.Marshal(value)
	if err != nil || k.folder == "" || os.MkdirAll(k.folder, 0o700) != nil {
		return
	}
	next, err := os.CreateTemp(k.folder, "new")
	if err != nil {
		return
	}
	_, err = next.Write(text)
	if next.Close() != nil || err != nil || os.Rename(next.Name(), file) != nil {
		_ = os.Remove(next.Name())
	}
}

func (k *knowledge) actors(ctx context.Context) []string {
	return answer(ctx, k, "actors", "", nil, readActorNames)
}

func (k *knowledge) commands(ctx context.Context, actor string) []model.Command {
	return answer(ctx, k, "model", actor, map[string]any{"actor": actor}, func(raw json.RawMessage) ([]model.Command, error) {
		var m struct{ Commands []model.Command }
		err := json.Unmarshal(raw, &m)
		return m.Commands, err
	})
}

func (k *knowledge) keywords(ctx context.Context, actor string) []string {
	return answer(ctx, k, "snapshot", actor, map[string]any{"filter": map[string]any{"sender": literal(actor)}}, func(raw json.RawMessage) ([]string, error) {
		var values Values
		err := json.Unmarshal(raw, &values)
		return slices.Sorted(maps.Keys(values.Actors[actor].Keywords)), err
	})
}

// literal returns a glob that matches only this text.
func literal(text string) string {
	var glob []rune
	for _, r := range text {
		if r == '*' || r == '?' || r == '[' {
			glob = append(glob, '[', r, ']')
			continue
		}
		glob = append(glob, r)
	}
	return string(glob)
}
