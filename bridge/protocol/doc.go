// Package protocol is the wire format of the bridge's own protocol, clu-ws.v1, and of CLU's
// plain one: the fields of clients' messages, and the messages to clients. It only parses
// and encodes; the bridge decides what a request does.
//
//	text of a client ──► Parse ──► Fields ──► Command, Since, Optional, ...: checked values
//	Hello, OK, Error, Result, ... ──► Encode ──► one frame
//
// Every error is a sentence for the author of the message, and says how to correct it. The work
// of parsing is bounded: a mebibyte of fields takes no longer than a mebibyte of text.
package protocol
