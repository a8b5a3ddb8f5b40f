package webdemo_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

//go:embed testdata/dome.py
var domeScript string

// startDome starts a CLU actor with a schema, whose commands answer with what click has read: see testdata/dome.py.
func startDome(t *testing.T, url, name string) {
	t.Helper()
	python := testkit.CLU(t)
	process := testkit.StartProcess(t, python.Command(t, domeScript, url, name))
	process.Output.WaitFor(t, time.Minute, "ready")
}

// openActor opens the view of an actor at a size, armed.
func openActor(t *testing.T, ctx context.Context, addr, actor string, size viewport) {
	t.Helper()
	t.Logf("%s on a %s", actor, size.name)
	visit(t, ctx, addr, "#/actor/"+actor, size)
	do(t, ctx, chromedp.WaitVisible(`#actor[data-actor="`+actor+`"]`))
	arm(t, ctx)
}

// fill writes a value into the control of a form's field, as somebody who types.
func fill(t *testing.T, ctx context.Context, field, value string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
		const control = [...document.querySelectorAll('[data-field="%s"] :is(input, select)')].at(-1);
		if (control.type === "checkbox") control.click();
		else { control.value = %q; control.dispatchEvent(new Event("input", { bubbles: true })); }
	})()`, field, value)))
}

const formLine = `document.querySelector(".form-line").value`

func TestAFormSendsWhatItShowsAndCLUReadsItAsItWasFilledIn(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	startDome(t, o.url, "realdome")
	for _, size := range sizes {
		name := size.name
		openActor(t, ctx, o.addr, "realdome", size)
		for _, c := range []struct {
			command string
			fill    [][2]string
			line    string
			got     string
		}{
			{"move", [][2]string{{"move/side", "north"}, {"move/angle", "30.5"}, {"move/force", ""}, {"move/filters", "u g"}},
				"move --force --filter 'u g' north 30.5", `"side":"north","angle":30.5,"speed":1.5,"force":true,"filters":["u g"]`},
			{"point", [][2]string{{"point/track", "off"}, {"point/at", "2026-11-21T03:38:40"}}, "", ""},
			{"note", [][2]string{{"note/words", `it's "so"`}}, `note "it's \"so\""`, `"words":["it's \"so\""]`},
			{"report weather", [][2]string{{"report/weather/verbose", "2"}}, "report weather -v -v", `"verbose":2`},
		} {
			do(t, ctx, chromedp.WaitReady(`.form-commands [data-command="`+c.command+`"]`),
				chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('.form-commands [data-command="%s"] button').click()`, c.command)))
			for _, f := range c.fill {
				fill(t, ctx, f[0], f[1])
			}
			if c.command == "point" { // two words, of which one may be negative
				do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('[data-field="point/radec"] input').forEach((input, n) => { input.value = ["80", "-40.5"][n]; input.dispatchEvent(new Event("input", { bubbles: true })); })`))
				c.line, c.got = "point --at 2026-11-21T03:38:40 --no-track 80 -40.5", `"radec":[80,-40.5],"at":"2026-11-21 03:38:40","track":false`
			}
			if line := evaluate[string](t, ctx, formLine); line != c.line {
				t.Errorf("%s: the form of %s writes %q, want %q", name, c.command, line, c.line)
			}
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector(".form-send").click()`))
			sent := fmt.Sprintf(`[...document.querySelectorAll(".actor-sent .commands > li")].find((li) => li.querySelector(".line").textContent === %q && li.dataset.own === "true" && li.dataset.state === "done")`, "realdome "+c.line)
			until(t, ctx, name+": the command is done", sent+` !== undefined`)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`void (`+sent+`).querySelector(".summary").click()`))
			answer := evaluate[string](t, ctx, `[...(`+sent+`).querySelectorAll(".answers .body")].at(-1).textContent`)
			if !strings.Contains(answer, c.got) {
				t.Errorf("%s: %s is answered with %s, want %s", name, c.line, answer, c.got)
			}
		}
		screenshot(t, ctx, "actor-forms-"+name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestAFormAndItsLineNeverDisagree(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	startDome(t, o.url, "realdome")
	openActor(t, ctx, o.addr, "realdome", sizes[0])
	do(t, ctx, chromedp.WaitReady(`.form-commands [data-command="move"]`))
	write := func(line string) {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => { const line = document.querySelector(".form-line"); line.value = %q; line.dispatchEvent(new Event("input", { bubbles: true })); })()`, line)))
	}
	why := `document.querySelector(".form-why").textContent`

	write("move south 200 -s 2")
	until(t, ctx, "the form shows the line", `document.querySelector(".command-form").dataset.command === "move" && document.querySelector('[data-field="move/side"] select').value === "south" && document.querySelector('[data-field="move/speed"] input').value === "2"`)
	until(t, ctx, "the range is said in words", `document.querySelector('[data-field="move/angle"] .problem').textContent === "ANGLE is 200, and must be from 0 to 90."`)
	if evaluate[bool](t, ctx, `document.querySelector(".form-send").disabled`) {
		t.Error("a line that was written by hand cannot be sent")
	}
	fill(t, ctx, "move/side", "both")
	if line := evaluate[string](t, ctx, formLine); line != "move --speed 2 both 200" {
		t.Errorf("after a change in the form the line is %q", line)
	}
	if !evaluate[bool](t, ctx, `document.querySelector(".form-send").disabled`) {
		t.Error("a form whose values the model does not allow can be sent")
	}
	write("mvoe north")
	until(t, ctx, "an unknown command is told", why+`.includes("has no such command")`)
	write("move 'north")
	until(t, ctx, "an open quotation is told", why+`.includes("quote is open") && document.querySelector(".form-send").disabled`)
	write("unfold")
	until(t, ctx, "a deprecated command says so", why+`.includes("deprecated") && document.querySelector('.form-commands [data-command="unfold"] .mark').textContent === "deprecated"`)
	testkit.NoConsoleErrors(t, ctx)
}

//go:embed testdata/readforms.py
var readFormsScript string

// What the page prints is read by Python: words that it quotes, and whole forms.
func TestClickReadsTheLinesOfFormsAsTheyWereFilledIn(t *testing.T) {
	t.Parallel()
	node, python := testkit.NodeJS(t), testkit.CLU(t)
	const quoted = `
import json, shlex, sys
print(json.dumps([(words, line) for words, line in json.load(sys.stdin) if shlex.split(line) != words][:5]))
`
	for printer, reader := range map[string]string{"quotedwords.js": quoted, "drawnforms.js": readFormsScript} {
		printed, err := exec.CommandContext(t.Context(), node, "page/tests/"+printer).Output()
		if err != nil {
			t.Fatal(err)
		}
		script := python.Command(t, reader)
		script.Stdin = bytes.NewReader(printed)
		out, err := script.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(out)); got != "[]" {
			t.Errorf("%s: Python reads otherwise: %s", printer, got)
		}
	}
}

// The URL is the state: a form is opened by its address, and a link to it is what one passes on.
func TestTheURLNamesTheFormThatIsOpen(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	startSimulated(t, o.url).Broadcast("i", nil)
	do(t, ctx, chromedp.EmulateViewport(1400, 860), chromedp.Navigate("http://"+o.addr+"/#/actor/dome?c=open"))
	until(t, ctx, "the form is open", `document.querySelector(".command-form")?.dataset.command === "open"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('.form-commands [data-command="close"] button').click()`))
	until(t, ctx, "the URL follows", `location.hash === "#/actor/dome?c=close"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/actor/dome?c=slow&f=x"; void 0`))
	until(t, ctx, "and the form follows the URL", `document.querySelector(".command-form").dataset.command === "slow" && document.querySelector(".keyword-filter").value === "x"`)
	testkit.NoConsoleErrors(t, ctx)
}
