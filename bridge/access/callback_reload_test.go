package access

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

func TestAReloadReadsTheSecretOfTheCallbackAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(secret string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	cfg := Config{Callback: &CallbackConfig{URL: "https://app.example/ws-login", Secret: "file:" + path}}
	a := newAuthority(t, cfg)
	was := a.state.Load().callback.traffic
	reload(t, a, cfg)
	if a.state.Load().callback.traffic != was {
		t.Error("what is under way to an application is forgotten")
	}
	write("second")
	reload(t, a, cfg)
	if now := a.state.Load().callback; now.secret != "second" {
		t.Error("the former secret is sent")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if a.Reload(withRoles(cfg)) == nil {
		t.Error("a secret that cannot be read is accepted")
	}
}

func TestAClientThatHasGoneIsNoFailureOfTheApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newFakeApp(t, CallbackConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		verdicts := app.enter(ctx, 1)
		synctest.Wait()
		cancel()
		<-verdicts
		synctest.Wait()
		if n := app.health.unknown.Load(); n != 0 {
			t.Errorf("%d questions count as not answered", n)
		}
		close(app.answers)
	})
}
