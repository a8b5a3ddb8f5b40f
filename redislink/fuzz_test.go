package redislink

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever a server sends, and however it comes in pieces: what is read is the same, is bounded, and the last text of
// a reply may be kept.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{
		"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nhello\r\n*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$1\r\nc\r\n$0\r\n\r\n",
		"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n+PONG\r\n-ERR no\r\n+OK\r\n",
		"*3\r\n+message\r\n+c\r\n+kept\r\n*3\r\n+message\r\n+c\r\n:123\r\n", // as nothing but a test sends it
		"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$100\r\n" + strings.Repeat("x", 100) + "\r\n:1\r\n",
		"*-1\r\n$-1\r\n*0\r\n*1\r\n$-1\r\n", "*1\r\n*1\r\n", "$2147483648\r\n", "$2147483647\r\nx", ">3\r\n", "%1\r\n+a\r\n+b\r\n", "*3\r\n$7\r\nmes",
		"-MOVED 1 h:1\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "+" + strings.Repeat("y", 100) + "\r\n+z\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		want := replies(t, bytes.NewReader(sent))
		if got := replies(t, iotest.OneByteReader(bytes.NewReader(sent))); !slices.Equal(got, want) {
			t.Errorf("%q: got %q in pieces, and %q in one", sent, got, want)
		}
	})
}

// replies reads until an error.
func replies(t *testing.T, from io.Reader) (all []string) {
	const maxBody = 64
	r := reader{br: bufio.NewReaderSize(from, lineBuffer), maxBody: maxBody}
	var kept [][]byte
	var copies []string
	for {
		said, err := r.next()
		if len(said) > maxFields || cap(r.names) > 4*maxFields*maxName {
			t.Fatalf("%d fields of %d bytes", len(said), cap(r.names))
		}
		for i, f := range said {
			if last := i == len(said)-1; last {
				kept, copies = append(kept, f.text), append(copies, string(f.text))
			}
			if f.size < len(f.text) || f.tooLong && f.text != nil || i == len(said)-1 && cap(f.text) > maxBody+8 {
				t.Fatalf("%+v", f)
			}
			all = append(all, fmt.Sprintf("%d %v %s", f.size, f.tooLong, f.text))
		}
		all = append(all, fmt.Sprint(len(said), err))
		if err != nil && !isServerError(err) {
			if !errors.Is(err, errNotRedis) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			break
		}
	}
	for i := range kept {
		if string(kept[i]) != copies[i] {
			t.Fatalf("%q was kept, and is %q now", copies[i], kept[i])
		}
	}
	return all
}
