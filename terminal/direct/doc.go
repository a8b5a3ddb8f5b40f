// Package direct links the terminal to a broker without a bridge that runs: the bridge is in this process, and nothing
// else can reach it. So every subcommand does what it does on a running bridge, by the same code.
//
//	direct.go   the bridge, its link to the broker, and its end
//	socket.go   the connection to it, which leaves no name in the file system
package direct
