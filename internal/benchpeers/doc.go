// Command benchpeers measures the bridge beside other servers that send messages to browsers (package bench), prints the
// figures as Markdown, and writes them as JSON and as a plot. `make bench-peers` runs it.
package main
