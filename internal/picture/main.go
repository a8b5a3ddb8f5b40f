package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/chromedp/chromedp"
)

func main() {
	at := flag.Duration("at", 62*time.Second, "how long after the start of the demo the picture is taken")
	view := flag.String("view", "#/", "the view, as in the URL")
	width := flag.Int64("width", 1400, "of the page in pixels")
	height := flag.Int64("height", 860, "of the page in pixels")
	theme := flag.String("theme", "", "the page's theme; its default if empty")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "picture: name the file to write, such as docs/page.png")
		os.Exit(2)
	}
	p := picture{at: *at, view: *view, width: *width, height: *height, theme: *theme}
	if err := p.take(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// picture says what to take a picture of.
type picture struct {
	at            time.Duration
	view, theme   string
	width, height int64
}

// take writes a picture to a file.
func (p picture) take(file string) error {
	dir, err := os.MkdirTemp("", "picture")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "clu-ws")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/clu-ws").CombinedOutput(); err != nil {
		return fmt.Errorf("the program cannot be built: %w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.at+2*time.Minute)
	defer cancel()
	demo := exec.CommandContext(ctx, program, "demo", "--port", "0", "--rabbitmq-port", "0")
	out, err := demo.StdoutPipe()
	if err != nil {
		return err
	}
	if err := demo.Start(); err != nil {
		return err
	}
	defer func() { _, _ = demo.Process.Kill(), demo.Wait() }()
	began := time.Now()
	address, err := readAddress(out)
	if err != nil {
		return err
	}
	png, err := p.photograph(ctx, address, began)
	if err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644)
}

var listens = regexp.MustCompile(`listens at (http://[^ ]+)`)

// readAddress reads the address of the page from what the demo prints.
func readAddress(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listens.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return m[1], nil
		}
	}
	return "", errors.New("the demo does not say where it listens")
}

// photograph opens the page at once, so that it sees the whole night, and returns a picture of it as PNG
// when its time has come.
func (p picture) photograph(ctx context.Context, address string, began time.Time) ([]byte, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-gpu", true))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	start := []chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(p.width, p.height), chromedp.Navigate(address + "/" + p.view)}
	if p.theme != "" {
		start = append(start, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.documentElement.dataset.theme = %q; void 0", p.theme)))
	}
	if err := chromedp.Do(ctx, start...); err != nil {
		return nil, err
	}
	timer := time.NewTimer(p.at - time.Since(began))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
