// Package terminal holds the subcommands of clu-ws that talk to a bridge: what they ask it, what they
// print, and the code with which they exit. It parses no flags, and each subcommand is a function over a [Link] and two
// writers. Only a [TerminalPrompt] opens a terminal.
//
//	flags (cmd/clu-ws) -> Env + options -> Send, Listen, Get, ... -> Link -> bridge
//	                                         |
//	                                         v
//	                              stdout: replies and values; stderr: everything else
//
// Three rules hold for all of them. Values and replies go to the standard output and nothing else does. An old value
// is never printed as if it were fresh. A command whose end is not known is named, with how to ask for it.
//
// The files: link.go (what is needed of a bridge), websocket.go (that over a WebSocket), doubt.go (when a command's end
// cannot be expected any more), exit.go (exit codes), output.go and table.go (printing), replies.go (how a reply is printed),
// pattern.go (ACTOR.KEYWORD with globs), fresh.go (which values are too old), commandline.go (words to a command
// string), and one file a subcommand. The shell has several: shell.go (a session), shell_running.go (its commands),
// shell_heard.go (other replies), shell_dot.go (what begins with a point), shell_confirm.go (dangerous commands),
// shell_terminal.go and shell_lines.go (where lines come from).
package terminal
