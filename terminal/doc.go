// Package terminal holds the subcommands of clu-ws that talk to a running bridge: what they ask it, what they
// print, and the code with which they exit. It parses no flags and opens no terminal, so that each subcommand is a
// function over a [Link] and two writers.
//
//	flags (cmd/clu-ws) -> Env + options -> Send, Listen, Get, ... -> Link -> bridge
//	                                         |
//	                                         v
//	                              stdout: replies and values; stderr: everything else
//
// Three rules hold for all of them. Values and replies go to the standard output and nothing else does. An old value
// is never printed as if it were fresh. A command whose end is not known is named, with how to ask for it.
//
// The files: link.go (what is needed of a bridge), websocket.go (that over a WebSocket), exit.go (exit codes),
// output.go and table.go (printing), replies.go (how a reply is printed), pattern.go (ACTOR.KEYWORD with globs),
// fresh.go (which values are too old), commandline.go (words to a command string), and one file a subcommand.
package terminal
