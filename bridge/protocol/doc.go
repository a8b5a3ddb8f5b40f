// Package protocol is the wire of the bridge's own protocol, clu-ws.v1, and of CLU's plain
// one: the fields of what clients send, and the messages that they are sent. It parses and
// encodes, and nothing else: what a request does is up to the bridge.
//
//	a client's text ──► Parse ──► Fields ──► Command, Since, Optional, ...: checked values
//	Hello, OK, Error, Result, ... ──► Encode ──► one frame
//
// Every error is a sentence for the person who wrote the message, and says how to mend it.
// Parsing is bounded: a mebibyte of fields costs a loop no more than a mebibyte of text.
package protocol
