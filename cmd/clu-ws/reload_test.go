package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	annasToken  = "anna-0123456789abcdefghijklmnopqrstuvwxyz"
	bertasToken = "berta-0123456789abcdefghijklmnopqrstuvwxy"
)

// tokenLine is an item of access.tokens.
func tokenLine(name, token, role string) string {
	return fmt.Sprintf("  - {name: %s, hash: \"sha256:%x\", role: %s}\n", name, sha256.Sum256([]byte(token)), role)
}

// accessFile is a file with a role viewer and the tokens.
func accessFile(tokens ...string) string {
	text := "host: 127.0.0.1\nport: 0\naccess:\n  roles:\n    viewer: {hear: [{}]}\n"
	if len(tokens) > 0 {
		text += "  tokens:\n" + strings.Join(tokens, "")
	}
	return text
}

// withToken returns a dialer that shows a token.
func withToken(token string) ws.Dialer {
	return ws.Dialer{Header: ws.HandshakeHeaderHTTP(http.Header{"Authorization": {"Bearer " + token}})}
}

func TestATokenThatIsRemovedFromTheFileClosesItsSocketsWithinASecondAndNoOthers(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", accessFile(tokenLine("anna", annasToken, "viewer"), tokenLine("berta", bertasToken, "viewer")))
	p := spawn(t, nil, "--config", path)
	url := "ws://" + p.announcedAddress(t, "ws://") + "/"
	anna := testkit.DialWebSocketWith(t, withToken(annasToken), url)
	berta := testkit.DialWebSocketWith(t, withToken(bertasToken), url)
	mustAnswer(t, anna)
	mustAnswer(t, berta)

	replaceFile(t, path, accessFile(tokenLine("berta", bertasToken, "viewer")))
	began := time.Now()
	_ = anna.SetDeadline(time.Now().Add(testkit.Patience))
	_, err := wsutil.ReadServerText(anna)
	closed, ok := errors.AsType[wsutil.ClosedError](err)
	if !ok || closed.Code < 3000 {
		t.Errorf("she receives %v", err)
	}
	t.Logf("closed with %d after %v: %s", closed.Code, time.Since(began), closed.Reason)
	p.await(t, `msg="the configuration was reloaded" changed=[access]`)
	mustAnswer(t, berta)
	if err := tryConnect(t, withToken(annasToken), url); err == nil {
		t.Error("she enters again")
	}
}

func TestAFileThatCannotBeUsedChangesNothingAndIsMendedByTheNext(t *testing.T) {
	tokens := []string{tokenLine("anna", annasToken, "viewer"), tokenLine("berta", bertasToken, "viewer")}
	path := writeFile(t, "clu-ws.yaml", accessFile(tokens...))
	p := spawn(t, nil, "--config", path)
	url := "ws://" + p.announcedAddress(t, "ws://") + "/"
	for text, want := range map[string]string{
		"": "the file is empty",
		strings.ReplaceAll(accessFile(tokens...), "role: viewer", "role: viewr"): path + ":7:",
		accessFile(tokens...) + "prot: 1\n":                                      `there is no setting \"prot\"`,
	} {
		replaceFile(t, path, text)
		line := p.await(t, want)
		if !strings.Contains(line, "the configuration cannot be used; nothing has changed") {
			t.Errorf("it logs %s", line)
		}
		mustAnswer(t, testkit.DialWebSocketWith(t, withToken(annasToken), url))
	}
	replaceFile(t, path, accessFile(tokens[1:]...))
	p.await(t, "the configuration was reloaded")
	if err := tryConnect(t, withToken(annasToken), url); err == nil {
		t.Error("the mended file is not used")
	}
}

func TestARunningBridgeNamesWhatItKeeps(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", accessFile(tokenLine("anna", annasToken, "viewer"))+"password: sesame\n")
	p := spawn(t, nil, "--config", path)
	url := "ws://" + p.announcedAddress(t, "ws://") + "/"
	replaceFile(t, path, "host: 127.0.0.1\nport: 1\nexchange: other\nlog-level: debug\norigin: ['https://a.example']\npassword: hunter2\n")
	p.await(t, `changed="[log-level origin]"`)
	line := p.await(t, "take effect at the next start")
	for _, name := range []string{"port", "exchange", "password", "access"} {
		if !strings.Contains(line, name) {
			t.Errorf("%s is not named: %s", name, line)
		}
	}
	if err := tryConnect(t, withToken(bertasToken), url); err == nil {
		t.Error("a file without the section opens the bridge to everyone")
	}
	mustAnswer(t, testkit.DialWebSocketWith(t, withToken(annasToken), url))
	page := ws.Dialer{Header: ws.HandshakeHeaderHTTP(http.Header{"Authorization": {"Bearer " + annasToken}, "Origin": {"https://a.example"}})}
	mustAnswer(t, testkit.DialWebSocketWith(t, page, url))
	if text := p.Output.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "sesame") || strings.Contains(text, annasToken) {
		t.Errorf("the log shows a secret:\n%s", text)
	}
}

func TestAHangupReloadsTheFileAndReopensTheAuditLog(t *testing.T) {
	dir := t.TempDir()
	path, record := filepath.Join(dir, "clu-ws.yaml"), filepath.Join(dir, "audit.log")
	replaceFile(t, path, accessFile()+"audit: audit.log\n")
	p := spawn(t, nil, "--config", path)
	p.announcementLine(t)
	if err := os.Rename(record, record+".1"); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	p.await(t, "the audit log was reopened")
	p.await(t, "the configuration was reloaded")
	p.stop(t)
	text, err := os.ReadFile(record)
	if err != nil || !strings.Contains(string(text), `"event":"reloaded"`) {
		t.Errorf("the record is %q, %v", text, err)
	}
}

func TestAFileBehindASymbolicLinkIsReloadedWhenThatChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clu-ws.yaml")
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		replaceFile(t, filepath.Join(dir, version, "clu-ws.yaml"), accessFile()+"log-level: "+map[string]string{"v1": "info", "v2": "debug"}[version]+"\n")
	}
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, at+".next"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at+".next", at); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", filepath.Join(dir, "..data")) // as Kubernetes mounts a ConfigMap
	link(filepath.Join("..data", "clu-ws.yaml"), path)
	p := spawn(t, nil, "--config", path)
	p.announcementLine(t)
	link("v2", filepath.Join(dir, "..data"))
	p.await(t, "changed=[log-level]")
}

func TestABridgeWithAccessControlWarnsOfCredentialsInTheClearOnly(t *testing.T) {
	text := strings.Replace(accessFile(tokenLine("anna", annasToken, "viewer")), "host: 127.0.0.1\n", "", 1)
	p := spawn(t, nil, "--config", writeFile(t, "clu-ws.yaml", text))
	p.await(t, "credentials reach this address without encryption; use --tls-cert")
	p.stop(t)
	if text := p.Output.String(); strings.Contains(text, "open to everyone") || strings.Contains(text, "every web page") {
		t.Errorf("it warns of what nobody may do:\n%s", text)
	}
}

func TestAFileWithASecretThatWasMissingIsNoticed(t *testing.T) {
	path := writeFile(t, "clu-ws.yaml", accessFile())
	p := spawn(t, nil, "--config", path)
	p.announcementLine(t)
	secret := filepath.Join(filepath.Dir(path), "secret")
	replaceFile(t, path, accessFile()+"  callback: {url: \"http://127.0.0.1:9/\", secret: \"file:secret\"}\n")
	p.await(t, "the configuration cannot be used")
	replaceFile(t, secret, "sesame\n")
	p.await(t, "changed=[access]")
}

func TestAChangeOfDialectsWaitsForTheNextStart(t *testing.T) {
	t.Parallel()
	read := func(text string) *settings {
		return &settings{file: &configFile{File: configfile.Parse("clu-ws.yaml", []byte(text))}}
	}
	current := read("name: x\n")
	for range 2 { // it is told at each reload
		later := read("dialects: [{path: /x, socketshark: {}}]\n")
		if changed, kept := current.difference(later); len(changed) != 0 || !slices.Equal(kept, []string{"dialects"}) {
			t.Errorf("changed is %q, and kept %q", changed, kept)
		}
		current.adopt(later)
	}
}
