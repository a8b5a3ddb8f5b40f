package access

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const testKey = "abcdefghijklmnopqrstuvwxyz0123456789"

// What testKey signs, in testdata/signed-urls.json.
const (
	signedRoot = "AQAAEP9TZfA4c5sqyrEgzh7wPMBpOmU8ZISMYzt8Mh5QoMiUx6Iv" // of /, until 1700003600
	signedLive = "AQAAPPFTZUSBBrNej1lN5zZmvki7MrQVVBIZ8fshgbDgHl9Prtla" // of /live/t3_abc123, until 1700000060
)

// secretsFile writes a secrets file with a versioned secret "s" and returns its name. "" is no version.
func secretsFile(t testing.TB, previous, current, next string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secrets.json")
	writeSecrets(t, file, previous, current, next)
	return file
}

func writeSecrets(t testing.TB, file, previous, current, next string) {
	t.Helper()
	secret := map[string]string{"type": "versioned", "encoding": "base64"}
	for version, key := range map[string]string{"previous": previous, "current": current, "next": next} {
		if key != "" {
			secret[version] = base64.StdEncoding.EncodeToString([]byte(key))
		}
	}
	raw, err := json.Marshal(map[string]any{"secrets": map[string]any{"s": secret}, "vault": map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// signedAuthority returns an authority for signed URLs at a time in seconds since 1970.
func signedAuthority(t testing.TB, file string, now float64, more func(*SignedConfig)) *Authority {
	t.Helper()
	cfg := Config{Roles: testRoles, Anonymous: "viewer", Signed: &SignedConfig{Secrets: file, Name: "s"}}
	if more != nil {
		more(cfg.Signed)
	}
	whole, part := math.Modf(now)
	at := time.Unix(int64(whole), int64(math.Round(part*1e3))*1e6)
	a, err := New(cfg, Options{Secret: os.ReadFile, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// signedApproach is a client that asks for a path with a signature.
func signedApproach(path, m string) *Approach {
	ap := approach("m=" + url.QueryEscape(m))
	ap.Path = path
	return ap
}

// The vectors were made with baseplate's own code.
func TestSignedURLsAreJudgedAsBaseplateDoes(t *testing.T) {
	raw, err := os.ReadFile("testdata/signed-urls.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Kind, Name, Path, Sig, Want string
		Key                         []byte
		Previous, Current, Next     []byte
		Now, MaxAge                 float64
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), `"max_age"`, `"maxage"`)), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 30 {
		t.Errorf("there are %d vectors", len(vectors))
	}
	for _, v := range vectors {
		if v.Kind == "sign" { // what it signs is valid until its end, and no longer
			v.Current, v.Want = v.Key, "ok"
			v.Now += v.MaxAge
		}
		a := signedAuthority(t, secretsFile(t, string(v.Previous), string(v.Current), string(v.Next)), v.Now, func(s *SignedConfig) { s.Role = "observer" })
		got := decide(t, a, signedApproach(v.Path, v.Sig))
		if ok := got.Principal != nil; ok != (v.Want == "ok") && v.Want != "either" {
			t.Errorf("%s %q: %+v, %v, want %s", v.Kind, v.Name, got.Principal, got.Refusal, v.Want)
		}
		if got.Principal == nil && got.Refusal.Status != 403 {
			t.Errorf("%s: the status is %d", v.Name, got.Refusal.Status)
		}
		if v.Kind == "sign" {
			late := signedAuthority(t, secretsFile(t, "", string(v.Current), ""), v.Now+1, nil)
			refused(t, decide(t, late, signedApproach(v.Path, v.Sig)), 403, "expired")
		}
	}
}

func TestASignedURLGrantsItsRoomAndNothingElse(t *testing.T) {
	a := signedAuthority(t, secretsFile(t, "", testKey, ""), 1700000000, func(s *SignedConfig) { s.Role = "observer" })
	p := enters(t, a, signedApproach("/live/t3_abc123", signedLive))
	if p.Source != "signed" || p.Name != "" || p.Role != "" || !p.Expires.IsZero() || len(p.CredentialID) != 16 || strings.Contains(signedLive, p.CredentialID) {
		t.Errorf("it is %+v", p)
	}
	for request, want := range map[Request]bool{
		{Door: EnterRoom, Room: "/live/t3_abc123"}:     true,
		{Door: EnterRoom, Room: "/live/t3_abc123/x"}:   false,
		{Door: EnterRoom, Room: "/live"}:               false,
		{Door: EnterRoom, Room: "/"}:                   false,
		{Door: PublishToRoom, Room: "/live/t3_abc123"}: false,
		{Consumer: "dome", CommandString: "status"}:    false,
		{Door: ListClients}:                            false,
		{Door: Administer}:                             false,
	} {
		if d := p.Decide(request); d.Allowed != want {
			t.Errorf("%+v: %+v", request, d)
		}
	}
	if p.Grants.View == nil || !p.Grants.HearsNothing() || string(p.Grants.JSON()) != `{"rooms":["/live/t3_abc123"]}` {
		t.Errorf("its grants are %s", p.Grants.JSON())
	}
	if p := enters(t, a, signedApproach("/", signedRoot)); p.Role != "observer" {
		t.Errorf("on / it is %+v", p)
	}
	refused(t, decide(t, signedAuthority(t, secretsFile(t, "", testKey, ""), 1700000000, nil), signedApproach("/", signedRoot)), 403, "no_role")
}

// A star in the path of a signed URL is not a pattern, and a slash at its end is not of the room.
func TestTheRoomOfASignedURLIsExactlyItsPath(t *testing.T) {
	for path, rooms := range map[string][2]string{
		"/*":     {"/*", "/a"},
		"/a/**":  {"/a/**", "/a/b"},
		"/x=*":   {"/x=*", "/x=1"},
		"/live/": {"/live", "/live/x"},
	} {
		p := &Principal{Grants: exactRoom(path)}
		if !p.Decide(Request{Door: EnterRoom, Room: rooms[0]}).Allowed || p.Decide(Request{Door: EnterRoom, Room: rooms[1]}).Allowed {
			t.Errorf("%s grants other rooms than its own", path)
		}
	}
}

func TestASignatureForASessionEndsIt(t *testing.T) {
	file := secretsFile(t, "", testKey, "")
	a := signedAuthority(t, file, 1700000000, func(s *SignedConfig) { s.Lifetime = "session" })
	p := enters(t, a, signedApproach("/live/t3_abc123", signedLive))
	if !p.Expires.Equal(time.Unix(1700000060, 0)) {
		t.Errorf("it ends at %v", p.Expires)
	}
	cfg := Config{Roles: testRoles, Signed: &SignedConfig{Secrets: file, Name: "s", Lifetime: "session"}}
	if err := a.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if now, refusal := a.Current(p); now != p {
		t.Errorf("after a reload that changes nothing it is %+v, %v", now, refusal)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(cfg); err != nil {
		t.Errorf("a file that is away for a moment keeps others from a reload: %v", err)
	}
	cfg.Signed = &SignedConfig{Secrets: secretsFile(t, "", "another key", ""), Name: "s", Lifetime: "session"}
	if err := a.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if _, refusal := a.Current(p); refusal == nil || refusal.Code != "revoked" {
		t.Errorf("after its key has gone: %v", refusal)
	}
}

func TestKeysAreReadAgainWhenTheirFileChanges(t *testing.T) {
	file := secretsFile(t, "", "old key", "")
	synctest.Test(t, func(t *testing.T) {
		a := signedAuthority(t, file, 1700000000, nil)
		ap := signedApproach("/live/t3_abc123", signedLive)
		refused(t, decide(t, a, ap), 403, "invalid")
		done := make(chan error, 1)
		go func() { done <- a.Run(t.Context()) }()
		pass := func() { time.Sleep(secretsEvery + 1); synctest.Wait() }
		if err := os.WriteFile(file, []byte("half of a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		pass()
		refused(t, decide(t, a, ap), 403, "invalid")
		writeSecrets(t, file, "old key", testKey, "")
		pass()
		enters(t, a, ap)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		pass()
		enters(t, a, ap) // the last keys stay
		writeSecrets(t, file, testKey, "new key", "")
		pass()
		enters(t, a, ap)
		writeSecrets(t, file, "new key", "newest key", "")
		pass()
		refused(t, decide(t, a, ap), 403, "invalid")
	})
}

func TestAURLWithoutASignatureIsToldSo(t *testing.T) {
	s, err := NewSignedURLs(secretsFile(t, "", testKey, ""), "s", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for m, want := range map[string]string{"": "has no signature m", "AQAA": "is not readable"} {
		if no := s.Check("/live", m); no == nil || no.Status != 403 || !strings.Contains(no.Reason, want) {
			t.Errorf("with m=%s: %v", m, no)
		}
	}
}

func TestEachReasonWhyTheKeysStayIsLoggedOnce(t *testing.T) {
	file := secretsFile(t, "", testKey, "")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := NewSignedURLs(file, "s", Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		go s.Run(t.Context())
		pass := func() { time.Sleep(2*secretsEvery + 1); synctest.Wait() }
		if err := os.WriteFile(file, []byte("half of a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		pass()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		pass()
		lines := strings.SplitAfter(log.String(), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "not a secrets file") || !strings.Contains(lines[1], "no such file") {
			t.Errorf("it logs\n%s", log.String())
		}
	})
}

func TestSecretsFilesAreReadAsBaseplateDoes(t *testing.T) {
	file := func(secret string) string { return fmt.Sprintf(`{"secrets": {"s": %s}, "vault": {}}`, secret) }
	for text, keys := range map[string]string{
		file(`{"type": "versioned", "current": "a"}`):                                                          "a",
		file(`{"type": "versioned", "current": "YQ==", "encoding": "base64"}`):                                 "a",
		file(`{"type": "versioned", "current": "YQ==", "encoding": "identity", "previous": "b", "next": "c"}`): "YQ== b c",
		file(`{"type": "versioned", "current": "a", "previous": null, "next": ""}`):                            "a",
	} {
		k, err := parseSecrets([]byte(text), "s")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, key := range k.keys {
			got = append(got, string(key))
		}
		if strings.Join(got, " ") != keys {
			t.Errorf("%s: the keys are %q", text, got)
		}
	}
	for _, text := range []string{
		``, `[]`, `{}`, `{"secrets": {"t": {}}}`, file(`"hidden"`), file(`{"type": "simple", "value": "hidden"}`), file(`{"type": "versioned"}`),
		file(`{"type": "versioned", "current": "hidden!", "encoding": "base64"}`), file(`{"type": "versioned", "current": "hidden", "encoding": "rot13"}`),
		file(`{"type": "versioned", "current": ""}`), file(`{"type": "versioned", "current": 7, "previous": "hidden"}`),
	} {
		if _, err := parseSecrets([]byte(text), "s"); err == nil {
			t.Errorf("%s is accepted", text)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error has the secret: %v", err)
		}
	}
}
