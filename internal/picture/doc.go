// Command picture takes a picture of the page from clu-ws demo, some time after dusk:
//
//	go run ./internal/picture --at 62s --view '#/' docs/page.png
//
// It builds and starts the demo, opens the page in a headless Chromium, and ends both. scripts/picture.sh
// takes the README's picture with it.
package main
