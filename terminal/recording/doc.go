// Package recording is the file format of clu-ws record: JSON, one value a line.
//
//	{"clu_ws_recording": 1, "bridge": "bridge", "epoch": "5f0c2a9be1d4", "start": "2026-11-21T03:38:40.123456Z", ...}
//	{"headers": {...}, "exchange": ..., "body": {...}, "seq": 57, "epoch": "5f0c2a9be1d4", "heard": 1795232320123456}
//	{"op": "gap", "seconds": 1.1, "heard": 1795232321223456}
//
// The first line says what the rest is. Then each line is an envelope as the bridge sent it, or says that replies are
// missing here. heard is the bridge's clock in microseconds; each line has it.
//
// A line is whole or it is the last one. A recorder that is killed leaves all lines that are older than a second; the last
// line may be torn, and a reader says so and leaves it out.
//
//	entry.go   what a line is
//	writer.go  lines to a file, on the disk within a second
//	reader.go  lines from a file
package recording
