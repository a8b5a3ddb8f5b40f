package bridge_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const signingKey = "abcdefghijklmnopqrstuvwxyz0123456789"

// signedUntil2100 returns the signature of a path by baseplate.
func signedUntil2100(path string) string {
	head := []byte{1, 0, 0, 0x57, 0x86, 0xf4, 0xf4}
	mac := hmac.New(sha256.New, []byte(signingKey))
	mac.Write(head)
	mac.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(append(head, mac.Sum(nil)...))
}

// withSystems configures all dialects.
func withSystems(t *testing.T) func(*bridge.Config) {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"allowed_rooms": [{"zoo": "*"}]}`)
	}))
	t.Cleanup(backend.Close)
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	text := `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "` + signingKey + `"}}}`
	if err := os.WriteFile(secrets, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := configfile.Parse("clu-ws.yaml", []byte(`
dialects:
  - {path: /shark, socketshark: {services: {books: {require-authentication: false}}}}
  - {path: /ws/, high-templar: {api-url: "`+backend.URL+`/"}}
  - {path: /r, reddit: {secrets: `+secrets+`}}
  - {path: /chat, jararaca: {routes: [{path: /chat/ws, join: ["{?rooms}"], split: "|"}]}}
`))
	mounts, err := catalog.Mounts(f.Dialects)
	if err := errors.Join(f.Err(), err); err != nil {
		t.Fatal(err)
	}
	return func(c *bridge.Config) { c.Dialects = mounts }
}

// system is a system as its pages and backends see it. SINCE stands for the page's place.
type system struct {
	target    string
	greeted   int    // messages before the page says anything
	subscribe string // what it says
	raw       string // what a page gets that asks for no places
	placed    string // what others get, with PLACE
	says      string // to those, with PLACE; RESUMED stands for what it says about that
	publish   func(n int)
}

// Each of the systems, and a room without one.
func systemsOf(publish func(exchange, key, body string), redis *testkit.Redis) map[string]system {
	amqp := func(exchange, key, form string) func(n int) {
		return func(n int) { publish(exchange, key, fmt.Sprintf(form, n)) }
	}
	byRedis := func(channel, form string) func(n int) {
		return func(n int) { redis.Do("PUBLISH", channel, fmt.Sprintf(form, n)) }
	}
	own := system{raw: `{"n": %d}`, placed: `{"op": "message", "since": "PLACE", "body": {"n": %d}}`, says: `{"op": "ok", RESUMED "since": "PLACE"}`}
	room, reddit, jararaca := own, own, own
	room.target, room.publish = "/live/x?since=SINCE", amqp("live", "/live/x", `{"n": %d}`)
	reddit.target, reddit.publish = "/r/x?m="+signedUntil2100("/r/x")+"&since=SINCE", amqp("r", "/r/x", `{"n": %d}`)
	jararaca.target, jararaca.publish = "/chat/ws?rooms=a|b&since=SINCE", byRedis("jararaca:websocket:send", "a,b\x00{\"n\": %d}")
	return map[string]system{
		"room": room, "reddit": reddit, "jararaca": jararaca,
		"socketshark": {
			target:    "/shark",
			subscribe: `{"event": "subscribe", "subscription": "books.1", "since": "SINCE"}`,
			raw:       `{"event": "message", "subscription": "books.1", "data": %d}`,
			placed:    `{"event": "message", "subscription": "books.1", "data": %d, "since": "PLACE"}`,
			says:      `{"event": "subscribe", "subscription": "books.1", "status": "ok", RESUMED "since": "PLACE"}`,
			publish:   byRedis("books.1", `{"subscription": "books.1", "data": %d}`),
		},
		"high-templar": {
			target: "/ws/", greeted: 1,
			subscribe: `{"type": "subscribe", "room": {"zoo": 1}, "requestId": 7, "since": "SINCE"}`,
			raw:       `{"type": "publish", "data": %d, "requestId": 7}`,
			placed:    `{"type": "publish", "data": %d, "requestId": 7, "since": "PLACE"}`,
			says:      `{"code": "success", "requestId": 7, RESUMED "since": "PLACE"}`,
			publish:   amqp("ht", "*", `{"rooms": [{"zoo": 2}, {"zoo": 1}], "data": %d}`),
		},
	}
}

// follower is a page of a system.
type follower struct {
	*client
	system
	place string // after what it has had
}

// follow connects a page that has a place; "" asks for none.
func (s system) follow(t *testing.T, addr, place string) *follower {
	t.Helper()
	f := &follower{system: s, place: place}
	fill := strings.NewReplacer("SINCE", place)
	if place == "" {
		fill = strings.NewReplacer("?since=SINCE", "", "&since=SINCE", "", `, "since": "SINCE"`, "")
	}
	f.client = dialWith(t, addr, fill.Replace(s.target))
	for range s.greeted {
		f.anyText()
	}
	if s.subscribe != "" {
		f.say(fill.Replace(s.subscribe))
	}
	return f
}

// anyData reads the next text or binary frame.
func (f *follower) anyData() ([]byte, error) {
	if err := f.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		return nil, err
	}
	data, _, err := wsutil.ReadServerData(f)
	return data, err
}

// anyText reads the next text or binary frame, which is an object.
func (f *follower) anyText() map[string]any {
	f.t.Helper()
	data, err := f.anyData()
	var m map[string]any
	if err := errors.Join(err, json.Unmarshal(data, &m)); err != nil {
		f.t.Fatalf("%s: %v", data, err)
	}
	return m
}

// gets compares the next frame, and remembers its place.
func (f *follower) gets(form string, values ...any) {
	f.t.Helper()
	got := f.anyText()
	for _, time := range []string{"received_at", "sent_at", "queue_size"} { // SocketShark's own
		delete(got, time)
	}
	if strings.Contains(form, "PLACE") {
		f.place, _ = got["since"].(string)
		form = strings.ReplaceAll(form, "PLACE", f.place)
	}
	var want map[string]any
	if err := json.Unmarshal(fmt.Appendf(nil, form, values...), &want); err != nil {
		f.t.Fatal(err)
	}
	equal(f.t, "the message", got, want)
}

// answered reads the answer to a page that asked for places. resumed is what it says about that, if anything.
func (f *follower) answered(resumed string) {
	f.t.Helper()
	if resumed != "" {
		resumed = `"resumed": ` + resumed + ","
	}
	f.gets(strings.ReplaceAll(f.says, "RESUMED", resumed))
}

// The pages of all systems may ask for the place of each message, and get what came while they were away, once. Those
// that do not ask get what they always got.
func TestAPageThatAsksGetsWhatItMissedInItsRooms(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	at := "redis=" + redis.URL()
	url := embeddedBroker(t)
	b := linked(t, url, withSystems(t), func(c *bridge.Config) { c.RoomHistory = 1 << 20 }, withSources(
		"exchange=live", "exchange=r,type=fanout,path=/r", "exchange=ht,path=/ws,format=hightemplar",
		at+",path=/shark,channel=books.*,format=socketshark", at+",path=/chat,format=jararaca"))
	b.awaitSources(t, 5)
	all := systemsOf(newBroadcaster(t, url).publish, redis)
	application := all["jararaca"].follow(t, b.addr, "2026-11-29") // which is no place
	all["jararaca"].publish(0)
	application.gets(application.raw, 0)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			others := all["room"]
			if name == "room" {
				others = all["reddit"]
			}
			s.resumes(t, b.addr, others)
		})
	}
}

// resumes has pages of a system lose their connections, while others are published to, too.
func (s system) resumes(t *testing.T, addr string, others system) {
	t.Helper()
	first, unchanged := s.follow(t, addr, "now"), s.follow(t, addr, "")
	first.answered("")
	if s.subscribe != "" {
		unchanged.anyText()
	}
	for n := range 3 {
		others.publish(n)
		s.publish(n)
		first.gets(s.placed, n)
		unchanged.gets(s.raw, n)
	}
	begun := first.place
	first.Close()
	for n := 3; n < 6; n++ {
		s.publish(n)
		unchanged.gets(s.raw, n) // so the bridge has had it
	}
	again, late := s.follow(t, addr, begun), s.follow(t, addr, begun)
	for _, f := range []*follower{again, late} {
		if f.answered("true"); f.place != begun {
			t.Errorf("before what it missed has come, its place is %s, not %s", f.place, begun)
		}
		for n := 3; n < 6; n++ {
			f.gets(s.placed, n)
		}
	}
	s.publish(6)
	again.gets(s.placed, 6)
	late.gets(s.placed, 6)
	unchanged.gets(s.raw, 6)
	last := s.follow(t, addr, again.place)
	last.answered("true")
	s.publish(7)
	last.gets(s.placed, 7)
	s.cannotResume(t, addr, begun)
}

// cannotResume has pages resume from places that the bridge does not know.
func (s system) cannotResume(t *testing.T, addr, place string) {
	t.Helper()
	epoch, _, _ := strings.Cut(place, ":")
	for _, place := range []string{"0123456789ab:1", epoch + ":999999"} {
		lost := s.follow(t, addr, place)
		got := lost.anyText()
		if got["resumed"] != false || !strings.Contains(fmt.Sprint(got["reason"]), "another bridge") {
			t.Errorf("a page at %s is answered %v", place, got)
		}
		s.publish(8)
		lost.gets(s.placed, 8)
	}
}

// While messages come without a pause, a page that loses its connection again and again, wherever it is in reading, gets
// each of them once.
func TestAPageThatResumesAgainAndAgainGetsEachMessageOnce(t *testing.T) {
	t.Parallel()
	const messages = 3000
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.RoomHistory = 16 << 20 }, withSources("exchange=live", "exchange=other"))
	b.awaitSources(t, 2)
	p := newBroadcaster(t, url)
	room := systemsOf(nil, nil)["room"]
	f := room.follow(t, b.addr, "now")
	f.answered("")
	published := make(chan error, 1)
	go func() {
		var failed error
		for n := range messages {
			failed = errors.Join(failed, p.ch.Publish("live", "/live", false, false, amqp.Publishing{Body: fmt.Appendf(nil, `{"n": %d}`, n)}),
				p.ch.Publish("other", "/other", false, false, amqp.Publishing{Body: []byte("not for them")}))
		}
		published <- failed
	}()
	for n := range messages {
		f.gets(room.placed, n)
		if n%100 == 99 {
			f.Close()
			f = room.follow(t, b.addr, f.place)
			f.answered("true")
		}
	}
	if err := testkit.Await(t, published); err != nil {
		t.Error(err)
	}
}

// A gap of the source is told to those who ask for places, also when they were away. A subscription of SocketShark
// cannot resume over it.
func TestAGapOfASourceIsToldToThosePagesThatResume(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	at := "redis=" + redis.URL()
	b := linked(t, embeddedBroker(t), withSystems(t), func(c *bridge.Config) { c.RoomHistory = 1 << 20 }, withSources(
		"exchange=live", "exchange=r,type=fanout,path=/r", at+",path=/shark,channel=books.*,format=socketshark", at+",path=/chat,format=jararaca",
		at+",path=/ws,channel=zoo,format=hightemplar"))
	b.awaitSources(t, 5)
	all := systemsOf(nil, redis)
	chat, zoo, shark, other := all["jararaca"], all["high-templar"], all["socketshark"], all["room"]
	pages := map[string]*follower{}
	for name, s := range map[string]system{"chat": chat, "away": chat, "zoo": zoo, "shark": shark, "other": other} {
		pages[name] = s.follow(t, b.addr, "now")
		pages[name].answered("")
	}
	pages["away"].Close()
	redis.Restart()
	gap := pages["chat"].anyText()
	if gap["op"] != "gap" || gap["from"] == nil || gap["since"] == nil {
		t.Errorf("the gap is told as %v", gap)
	}
	if got := pages["zoo"].anyText(); got["type"] != "gap" || fmt.Sprint(got["requestId"]) != "7" || got["to"] == nil {
		t.Errorf("High-templar's page is told %v", got)
	}
	if got := pages["shark"].anyText(); got["event"] != "gap" || got["subscription"] != "books.1" || got["from"] == nil || got["to"] == nil {
		t.Errorf("SocketShark's page is told %v", got)
	}
	away := chat.follow(t, b.addr, pages["away"].place)
	away.answered("true")
	if got := away.anyText(); got["op"] != "gap" || got["to"] != gap["to"] {
		t.Errorf("who was away is told %v, not %v", got, gap)
	}
	for name, s := range map[string]system{"shark": shark, "zoo": zoo} {
		got := s.follow(t, b.addr, pages[name].place).anyText()
		if got["resumed"] != false || !strings.Contains(fmt.Sprint(got["reason"]), "may have been lost") {
			t.Errorf("%s: over a gap a page is answered %v", name, got)
		}
	}
	pages["other"].roomSilent()
}

// What cannot be resumed from is said; a parameter of a page's own application is no place.
func TestAPlaceThatIsNoneIsSaid(t *testing.T) {
	t.Parallel()
	url := embeddedBroker(t)
	b, none := linked(t, url, func(c *bridge.Config) { c.RoomHistory = 1 << 10 }, withSources("exchange=live")), linked(t, url, withSources("exchange=live"))
	b.awaitSources(t, 1)
	for target, want := range map[string]string{
		b.addr + "/live/x?since=5":             "is no place",
		b.addr + "/live/x?since=a:b":           "is no place",
		b.addr + "/live/x?since=":              "is no place",
		b.addr + "/live/x?since=now&sender=a":  "asks for replies",
		b.addr + "/live/x?since=now&since=now": "twice",
		none.addr + "/live/x?since=now":        "--room-history",
	} {
		addr, path, _ := strings.Cut(target, "/")
		if got := dialWith(t, addr, "/"+path).next(); !strings.Contains(fmt.Sprint(got["error"]), want) {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	p := newBroadcaster(t, url)
	page := systemsOf(p.publish, nil)["room"].follow(t, b.addr, "now")
	page.answered("")
	start := page.place
	for n := range 8 { // more than 1 KiB
		page.publish(n)
		page.gets(page.placed, n)
	}
	late := page.system.follow(t, b.addr, start)
	if got := late.anyText(); got["resumed"] != false || !strings.Contains(fmt.Sprint(got["reason"]), "not kept any more") {
		t.Errorf("a late page is answered %v", got)
	}
	page.system.follow(t, b.addr, page.place).answered("true")
}
