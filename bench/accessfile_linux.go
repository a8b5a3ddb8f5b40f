package bench

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// accessFile is a configuration file with roles, each for the replies of one sender, and a token for each role.
type accessFile struct {
	path   string
	tokens []string // by role
	hashes []string
	issuer *issuer // of JSON Web Tokens for the first role, which those without a token have, too; nil is none
}

// newAccessFile makes tokens for so many roles. The file is written by write.
func newAccessFile(folder string, roles int) *accessFile {
	f := &accessFile{path: filepath.Join(folder, "clu-ws.yaml")}
	for range roles {
		token, hash := access.NewToken()
		f.tokens, f.hashes = append(f.tokens, token), append(f.hashes, hash)
	}
	return f
}

// roleOf returns the name of the i-th role.
func roleOf(i int) string { return fmt.Sprintf("role%03d", i) }

// write writes the file. Roles with own hear the replies to their own commands, too.
func (f *accessFile) write(own func(role int) bool) error {
	roles, tokens := map[string]any{}, []any{}
	for i := range f.tokens {
		roles[roleOf(i)] = map[string]any{"hear": []any{map[string]any{"sender": senderOf(i)}}, "own": own(i)}
		tokens = append(tokens, map[string]any{"name": fmt.Sprintf("client%03d", i), "hash": f.hashes[i], "role": roleOf(i)})
	}
	section := map[string]any{"roles": roles, "tokens": tokens}
	if f.issuer != nil {
		section["anonymous"] = roleOf(0)
		section["jwt"] = []any{f.issuer.config(roleOf(0))}
	}
	// JSON is YAML, too. The file is replaced at once, because the bridge may read it at any time.
	next := f.path + "." + rand.Text()
	if err := os.WriteFile(next, jsonOf(map[string]json.RawMessage{"access": jsonOf(section)}), 0o600); err != nil {
		return err
	}
	return os.Rename(next, f.path)
}

// headers returns the header fields of clients that take the roles in turn, and speak v1 or CLU's own protocol.
func (f *accessFile) headers(v1 bool) (lines []string) {
	for _, token := range f.tokens {
		lines = append(lines, bearer(token, v1))
	}
	return lines
}

// bearer returns the header fields of a client with a token.
func bearer(token string, v1 bool) string {
	line := "Authorization: Bearer " + token + "\r\n"
	if v1 {
		line += "Sec-WebSocket-Protocol: clu-ws.v1\r\n"
	}
	return line
}

// noRole is for a file whose roles hear nothing but their senders.
func noRole(int) bool { return false }
