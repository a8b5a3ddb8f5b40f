package access

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

func FuzzParseGrants(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"hear": [{}], "hide": [{"sender": ["${name}", "[a-z]*"]}]}`, observer, `{"rooms": ["/users/${name}/**", "/a=*"], "publish": "/x"}`,
		`{"limits": {"command-rate": 0.5, "connections": 3}}`, `{"own": true, "own": false}`, `{"command": [{"consumer": "a", "verb": ["*"]}]}`,
	} {
		f.Add([]byte(text), "ana")
	}
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		g, err := ParseGrants(raw)
		if err != nil {
			if at := (*PathError)(nil); !errors.As(err, &at) {
				t.Fatalf("the error has no place: %v", err)
			}
			return
		}
		again, err := ParseGrants(g.JSON())
		if err != nil || again.Key() != g.Key() {
			t.Fatalf("%s is not read as itself: %v", g.JSON(), err)
		}
		bound, err := g.For(name)
		if err != nil {
			return
		}
		if bound.Named() && !strings.Contains(name, "$") {
			t.Fatalf("the name is not replaced in %s", bound.JSON())
		}
		if again, err := ParseGrants(bound.JSON()); !strings.Contains(name, "$") && (err != nil || again.Key() != bound.Key()) {
			t.Fatalf("%s is not read as itself: %v", bound.JSON(), err)
		}
	})
}

// What one name is granted by its mark, no other name is.
func FuzzANameNeverWidensAPattern(f *testing.F) {
	for _, name := range []string{"ana", "a/b", "*", "**", "..", "x=*", "a.b", "%2f", "[a-z]", `\`, "", "${name}", "é"} {
		f.Add(name, "/users/eve/x")
	}
	g := parse(f, `{"rooms": ["/users/${name}/**", "/u=${name}"], "command": [{"consumer": "cam.${name}"}], "hear": [{"sender": "s.${name}"}]}`)
	f.Fuzz(func(t *testing.T, name, room string) {
		bound, err := g.For(name)
		if err != nil {
			return
		}
		p := &Principal{Name: name, Grants: bound}
		if clean, err := rooms.CleanPath(room); err != nil || clean != room {
			return
		}
		own := room == "/users/"+name || strings.HasPrefix(room, "/users/"+name+"/") || room == "/u="+name
		if p.Decide(Request{Door: EnterRoom, Room: room}).Allowed && !own {
			t.Errorf("%q may enter %q", name, room)
		}
		for _, other := range []string{"eve", name + "x", "x" + name, name + ".x"} {
			if other != name && p.Decide(Request{Consumer: "cam." + other, CommandString: "x"}).Allowed {
				t.Errorf("%q may command cam.%s", name, other)
			}
		}
		if !p.Decide(Request{Consumer: "cam." + name, CommandString: "x"}).Allowed {
			t.Errorf("%q may not command its own", name)
		}
	})
}

// A verb that is known is the first word that CLU reads.
func FuzzVerb(f *testing.F) {
	for _, text := range []string{"status", "open --fast", `"op"en`, "", " x", "-- x", `a\ b`, "a\nb", "a;b", "é", "a'", "shutdown\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		verb, ok := Verb(text)
		if !ok {
			if verb != "" {
				t.Errorf("%q has no verb, and %q", text, verb)
			}
			return
		}
		if word := modelFirstWord(text); word != verb {
			t.Errorf("%q has the verb %q, but its first word is %q", text, verb, word)
		}
	})
}

func FuzzSignatures(f *testing.F) {
	f.Add(signedLive, "/live/t3_abc123")
	f.Add(signedRoot+"=", "/")
	f.Add("", "")
	a := signedAuthority(f, secretsFile(f, "", testKey, ""), 1700000000, nil)
	f.Fuzz(func(t *testing.T, m, path string) {
		v := a.Identify(signedApproach(path, m))
		good := path == "/live/t3_abc123" && strings.TrimSuffix(m, "=") == signedLive
		if v.Principal != nil && !good {
			t.Errorf("%q is a signature of %q", m, path)
		}
		if v.Refusal == nil && v.Principal == nil || v.Refusal != nil && !utf8.ValidString(v.Refusal.Reason) {
			t.Errorf("the verdict is %+v", v)
		}
	})
}

// Whatever a client sends, it is who its token says only if it has sent the token.
func FuzzCredentials(f *testing.F) {
	const token = "cluws_token"
	a := newAuthority(f, Config{Anonymous: "viewer", Cookie: "session", TokenInURL: true, Tokens: []TokenConfig{{Name: "a", Hash: HashToken(token), Role: "viewer"}}})
	f.Add("Bearer "+token, "", "", "")
	f.Add("Basic Ong6Y2x1d3NfdG9rZW4=", "clu", "x=1", "a=b")
	f.Add("", "clu, bearer."+token, "ticket=a&%6d=%zz", "")
	f.Add("", "", "token="+token, "session="+token)
	f.Fuzz(func(t *testing.T, authorization, protocols, query, cookie string) {
		header := http.Header{}
		for name, value := range map[string]string{"Authorization": authorization, "Sec-Websocket-Protocol": protocols, "Cookie": cookie} {
			if value != "" {
				header[name] = []string{value}
			}
		}
		ap := approach(query)
		ap.Headers, ap.OriginAllowed = header.Values, true
		v := a.Identify(ap)
		if (v.Principal == nil) == (v.Refusal == nil) {
			t.Fatalf("the verdict is %+v", v)
		}
		if v.Principal == nil {
			return
		}
		basic, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(authorization[min(len(authorization), 5):]))
		unescaped, _ := url.QueryUnescape(query)
		sent := strings.Contains(authorization+protocols+string(basic)+unescaped+cookie, token)
		if v.Principal.Source != "anonymous" && !sent {
			t.Errorf("it is %+v", v.Principal)
		}
		if v.Principal.Source == "anonymous" && (authorization != "" || WithoutCredentials(query) != query || carriesToken(protocols)) {
			t.Errorf("a bad credential is anonymous: %q %q %q", authorization, protocols, query)
		}
	})
}

func FuzzRoomPatterns(f *testing.F) {
	for _, text := range []string{"/", "/a", "/a/*", "/a/**", "/**", "/x=*/y", "/a//b", "//", "/*/**"} {
		f.Add(text, "/a/b")
	}
	f.Fuzz(func(t *testing.T, text, room string) {
		p, err := parseRoomPattern(text)
		if err != nil {
			return
		}
		if room, err = rooms.CleanPath(room); err != nil {
			return
		}
		if got, want := p.match(room), modelRoom(text, room); got != want {
			t.Errorf("%q selects %q: %t, want %t", text, room, got, want)
		}
	})
}

// A target has no credential once it is redacted, however its parameters are written.
func FuzzRedactTarget(f *testing.F) {
	f.Add("/a?m=", "&x=1")
	f.Add("/a?x&%74oken=", "#t")
	f.Add("?ticket=", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "SeCrEt"
		target := before + secret + after
		ap := &Approach{Path: "/"}
		_, ap.Query, _ = strings.Cut(target, "?")
		ap.Query, _, _ = strings.Cut(ap.Query, "#")
		all, refusal := inQuery(ap.Query)
		if refusal != nil {
			return
		}
		for _, c := range all {
			if strings.Contains(c.value, secret) && strings.Contains(RedactTarget(target), secret) && strings.Count(target, secret) == 1 {
				t.Errorf("%q becomes %q", target, RedactTarget(target))
			}
		}
	})
}
