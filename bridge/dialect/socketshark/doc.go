// Package socketshark is the dialect of SocketShark.
package socketshark
