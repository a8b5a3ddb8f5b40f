package testkit

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserOpensAPageAndReportsItsErrors(t *testing.T) {
	ctx := Browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	NoConsoleErrors(t, ctx)

	const page = "data:text/html,<title>hello</title><script>" +
		"console.log('fine'); console.error('on the console'); throw new Error('thrown')</script>"
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	title, err := chromedp.Run(ctx, chromedp.Title())
	if err != nil || title != "hello" {
		t.Errorf("title %q, %v", title, err)
	}
	got := ConsoleErrors(t, ctx)
	if len(got) != 2 || !strings.Contains(got[0], "on the console") || !strings.Contains(got[1], "thrown") {
		t.Errorf("got %q, want the two errors of the page", got)
	}
}
