package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/golang-jwt/jwt/v5"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// planted are secrets by what they are. Whatever the program writes is searched for them.
type planted map[string]string

// plant makes a secret.
func (p planted) plant(what string) string {
	p[what] = "Zx" + rand.Text()
	return p[what]
}

// find returns which secrets a text contains, as they are or encoded, each with what is around it.
func (p planted) find(text string) (found []string) {
	for what, secret := range p {
		for _, form := range []string{
			secret, url.QueryEscape(secret),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("anna:"+secret)), "="),
			fmt.Sprintf("%x", secret),
		} {
			if at := strings.Index(text, form); at >= 0 {
				found = append(found, fmt.Sprintf("%s: ...%s", what, text[max(0, at-100):min(len(text), at+len(form)+20)]))
				break
			}
		}
	}
	return found
}

// secretsHarness is a bridge with a secret of each kind.
type secretsHarness struct {
	t            *testing.T
	planted      planted
	dir          string
	child        child
	web, admin   string          // addresses
	audit        string          // file
	clients      int             // so far
	heard        strings.Builder // all that clients were told
	mu           sync.Mutex      // guards the following field
	callbackSays int             // status of the application's answers; 0 is rubbish
}

const callbackOK = `{"status":"ok","name":"berta","role":"viewer"}`

// application answers the bridge's callback.
func (h *secretsHarness) application() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		status := h.callbackSays
		h.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		switch status {
		case http.StatusOK:
			fmt.Fprint(w, callbackOK)
		case 0: // rubbish that has what was sent
			fmt.Fprintf(w, "rubbish %s %s", body, r.Header.Get("Authorization"))
		default:
			http.Error(w, fmt.Sprintf("no %s %s", body, r.Header.Get("Authorization")), status)
		}
	}))
	h.t.Cleanup(server.Close)
	return server.URL + "/login?key=" + h.planted.plant("key in the callback's URL")
}

func (h *secretsHarness) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// newSecretsHarness starts the bridge.
func newSecretsHarness(t *testing.T) *secretsHarness {
	h := &secretsHarness{t: t, planted: planted{}, dir: t.TempDir(), callbackSays: http.StatusOK}
	h.audit = filepath.Join(h.dir, "audit.log")
	h.write("broker", h.planted.plant("broker's password"))
	h.write("jwt", h.planted.plant("JWT's secret")+h.planted["JWT's secret"])
	h.write("callback", h.planted.plant("callback's secret"))
	h.write("keys.json", fmt.Sprintf(`{"secrets":{"ws":{"type":"versioned","current":%q}}}`, h.planted.plant("key of signed URLs")))
	h.write("clu-ws.yaml", fmt.Sprintf(`
password: file:broker
log-level: debug
audit: audit.log
audit-required: true
admin: 127.0.0.1:%d
source: ["redis=redis://anna:%s@127.0.0.1:1,path=/redis"]
access:
  roles: {viewer: {hear: [{}], command: [{consumer: dome}]}, root: {hear: [{}], command: [{}], rooms: ["/**"], admin: true}}
  cookie: login
  signed: {secrets: keys.json, name: ws, role: viewer}
  tokens:
%s    jwt: [{issuer: idp, audience: clu-ws, algorithms: [HS256], secret: "file:jwt", role: viewer}]
  callback: {url: %q, secret: "file:callback", timeout: 5s}
`, testkit.FreePort(t), h.planted.plant("Redis's password"), strings.Replace(tokenLine("anna", h.planted.plant("token"), "root"), "  - ", "    - ", 1)+"#", h.application()))
	text, err := os.ReadFile(filepath.Join(h.dir, "clu-ws.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h.write("clu-ws.yaml", strings.Replace(string(text), "#    jwt:", "  jwt:", 1))
	cmd := command(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--embedded-broker", "--rabbitmq-port", "0", "--config", filepath.Join(h.dir, "clu-ws.yaml"))
	cmd.Env = append(cmd.Env, "GOTRACEBACK=all")
	h.child = child{testkit.StartProcess(t, cmd)}
	h.web = h.child.announcedAddress(t, "http://")
	h.admin = h.child.admin(t)
	return h
}

// jwt returns a token, whose signature is planted.
func (h *secretsHarness) jwt(what string, expires time.Time) string {
	h.t.Helper()
	key := h.planted["JWT's secret"]
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "idp", "aud": "clu-ws", "sub": "jana", "exp": expires.Unix(), "nonce": rand.Text(),
	}).SignedString([]byte(key + key))
	if err != nil {
		h.t.Fatal(err)
	}
	h.planted[what] = text[strings.LastIndexByte(text, '.')+1:]
	return text
}

// signed returns a signature for a path, which is planted.
func (h *secretsHarness) signed(what, path string, expires time.Time) string {
	head := binary.LittleEndian.AppendUint32([]byte{1, 0, 0}, uint32(expires.Unix()))
	mac := hmac.New(sha256.New, []byte(h.planted["key of signed URLs"]))
	mac.Write(append(head[:len(head):len(head)], path...))
	h.planted[what] = base64.URLEncoding.EncodeToString(mac.Sum(head))
	return h.planted[what]
}

// shown is a credential on its way.
type shown struct {
	header http.Header
	query  string
}

func bearer(token string) shown {
	return shown{header: http.Header{"Authorization": {"Bearer " + token}}}
}

// credentials returns valid and invalid credentials in each place where one may stand, and in
// some where none may.
func (h *secretsHarness) credentials() []shown {
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	p := h.planted
	all := []shown{
		bearer(p["token"]), bearer(p.plant("unknown token")),
		bearer(h.jwt("JWT", later)), bearer(h.jwt("expired JWT", before)), bearer(h.jwt("cut JWT", later) + "."),
		{header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("anna:"+p.plant("unknown password")))}}},
		{header: http.Header{"Authorization": {"Digest " + p.plant("digest")}}},
		{header: http.Header{"Authorization": {p.plant("word in Authorization")}}},
		{header: http.Header{"Cookie": {"login=" + p.plant("cookie") + "; other=" + p.plant("other cookie")}}},
		{header: http.Header{"Authorization": {"Bearer " + p["token"], "Bearer " + p.plant("second token")}}},
		{header: http.Header{"X-Remote-User": {p.plant("forged header")}}},
	}
	for name, secret := range map[string]string{
		"m": h.signed("signed URL", "/", later), "ticket": p.plant("ticket"), "token": p.plant("token in a URL"),
	} {
		all = append(all, shown{query: name + "=" + url.QueryEscape(secret)})
	}
	return append(all,
		shown{query: "m=" + h.signed("expired signed URL", "/", before)},
		shown{query: "m=" + h.signed("signed URL of another path", "/other", later)},
		shown{query: "m=" + p.plant("signature") + "%zz"},
		shown{query: "ticket=" + p.plant("first ticket") + "&ticket=" + p.plant("second ticket")},
		shown{query: "filter=" + p.plant("no filter") + "&token=" + p.plant("token beside a filter")},
	)
}

// hear notes what a client was told.
func (h *secretsHarness) hear(text []byte) { h.heard.Write(append(text, '\n')) }

// elsewhere returns a dialer from another address on loopback each time: one that has shown many
// invalid credentials is answered with 429.
func (h *secretsHarness) elsewhere() *net.Dialer {
	h.clients++
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(h.clients>>8), byte(h.clients))}}
}

// request sends a request and notes the answer.
func (h *secretsHarness) request(method, address, path string, c shown, body string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+address+path+"?"+c.query, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: h.elsewhere().DialContext}, Timeout: testkit.Patience}
	resp, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	headers, err := json.Marshal(resp.Header)
	if err != nil {
		h.t.Fatal(err)
	}
	h.hear(append(headers, text...))
}

// awaitRecord waits for words in the audit log, and returns all of it.
func (h *secretsHarness) awaitRecord(words string) (record string) {
	h.t.Helper()
	testkit.Eventually(h.t, testkit.Patience, words+" in the audit log", func() error {
		text, err := os.ReadFile(h.audit)
		if record = string(text); err == nil && !strings.Contains(record, words) {
			err = os.ErrNotExist
		}
		return err
	})
	return record
}

// search reports the secrets in a text that a place has.
func (h *secretsHarness) search(place, text string) {
	h.t.Helper()
	for _, found := range h.planted.find(text) {
		h.t.Errorf("%s shows the %s", place, found)
	}
}

// connect opens a WebSocket if it may, and sends messages that fail.
func (h *secretsHarness) connect(c shown, protocols ...string) {
	h.t.Helper()
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP(c.header), Protocols: protocols, NetDial: h.elsewhere().DialContext, Timeout: testkit.Patience, OnStatusError: func(_ int, _ []byte, r io.Reader) {
		text, _ := io.ReadAll(io.LimitReader(r, 4096))
		h.hear(text)
	}}
	conn, err := testkit.OpenWebSocket(h.t.Context(), d, "ws://"+h.web+"/?"+c.query)
	if err != nil {
		h.hear([]byte(err.Error()))
		return
	}
	defer conn.Close()
	for _, message := range []string{
		`{"op":"auth","id":"1","token":"` + h.planted.plant("unknown token in a message") + `"}`,
		`{"op":"auth","id":"2","token":"` + h.jwt("JWT in a message", time.Now().Add(time.Hour)) + `"}`,
		`{"op":"auth","id":"3","token":["` + h.planted.plant("list of tokens") + `"]}`,
		`{"op":"auth","id":"4","token":"` + h.planted.plant("token in half a message"),
		`{"op":"auth","id":"5","ticket":"` + h.planted.plant("ticket in a message") + `"}`,
		`{"consumer":"dome","command_string":"open","command_id":"x"}`,
		`{"op":"nothing","id":"6"}`,
	} {
		_ = ws.WriteFrame(conn, ws.MaskFrame(ws.NewTextFrame([]byte(message))))
		if _, id, ok := strings.Cut(message, `"op":"auth","id":"`); ok && strings.HasSuffix(message, "}") && !h.answered(conn, id[:1]) {
			return
		}
	}
	_ = ws.WriteFrame(conn, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
	_ = conn.SetReadDeadline(time.Now().Add(testkit.Patience))
	text, _ := io.ReadAll(conn)
	h.hear(text)
}

// answered reads until a request has its answer, since a credential in a message may take long to
// decide about. It returns false if the client is closed.
func (h *secretsHarness) answered(conn net.Conn, id string) bool {
	h.t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(testkit.Patience))
	for {
		f, err := ws.ReadHeader(conn)
		if err != nil {
			return false
		}
		payload, err := io.ReadAll(io.LimitReader(conn, f.Length))
		if err != nil || f.OpCode == ws.OpClose {
			return false
		}
		h.hear(payload)
		var m struct{ ID string }
		if json.Unmarshal(payload, &m) == nil && m.ID == id {
			return true
		}
	}
}

func TestAPlantedSecretIsFoundInEachForm(t *testing.T) {
	p := planted{"x": "Zx+/ y"}
	for _, text := range []string{"aZx+/ yb", "Zx%2B%2F+y", "Wngr LyB5", "Wngr" + "LyB5", "YW5uYTpaeCsvIHk=", "5a782b2f2079"} {
		if found := p.find(text); (len(found) == 1) == strings.Contains(text, " Ly") {
			t.Errorf("in %q it finds %q", text, found)
		}
	}
}

func TestNoSecretIsInAnyOutput(t *testing.T) {
	h := newSecretsHarness(t)
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusInternalServerError, 0} {
		h.mu.Lock()
		h.callbackSays = status
		h.mu.Unlock()
		for _, c := range h.credentials() {
			h.connect(c)
			h.request("GET", h.web, "/whoami", c, "")
			h.request("POST", h.admin, "/api/command", c, `{"consumer":"dome","command_string":"open"}`)
			h.request("POST", h.admin, "/api/kick", c, `{"name":"nobody"}`)
			h.request("GET", h.admin, "/debug/pprof/cmdline", c, "")
		}
		h.connect(shown{}, "clu", "bearer."+h.planted.plant("token in a subprotocol"))
		h.connect(shown{header: http.Header{"Origin": {"https://evil.example"}}, query: "token=" + h.planted["token"]})
	}
	anna := bearer(h.planted["token"])
	for _, path := range []string{"/metrics", "/healthz", "/debug/pprof/cmdline", "/debug/pprof/goroutine"} {
		h.request("GET", h.admin, path, anna, "")
	}
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", h.child.Pid(), name))
		if err != nil {
			t.Fatal(err)
		}
		h.search("/proc/PID/"+name, string(text))
	}
	h.write("clu-ws.yaml", "password: "+h.planted.plant("password of a bad file")+"\npassword: [\n")
	h.child.await(t, "the configuration cannot be used")
	record := h.awaitRecord(`"event":"reloaded"`)
	h.child.signal(t, syscall.SIGQUIT) // it ends with the stacks of all goroutines
	testkit.Await(t, h.child.Done())
	h.child.await(t, "SIGQUIT")

	for _, words := range []string{
		`"event":"entered"`, `"event":"command_end"`, `"source":"callback"`, `"source":"jwt"`, `"source":"signed"`, `"source":"token"`,
		`"code":"several"`, `"code":"expired"`, `"code":"invalid"`, `"code":"unknown"`, `"code":"forbidden"`, `"code":"other_name"`, `"code":"missing"`,
	} {
		if !strings.Contains(record, words) {
			t.Errorf("nothing has %s:\n%.2000s", words, record)
		}
	}
	h.search("the audit log", record)
	h.search("the log", h.child.Output.String())
	h.search("an answer", h.heard.String())
}
