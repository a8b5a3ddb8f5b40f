package engine

// scratch is memory that a loop reuses instead of allocating. Nothing in it outlives the
// function that filled it, or the turn for the lists, so it is no state of the loop.
type scratch struct {
	input      []byte // what was just read from a socket
	plaintext  []byte // what was just decrypted
	joined     []byte // frames joined for one connection
	ciphertext []byte // what crypto/tls has just encrypted, until it is written or queued

	sink    connSink // passed to the parser by its address, which would allocate otherwise
	request Request  // the one being examined, with its fields

	unfinished []*ring   // rings with more to do than fits this turn
	toFlush    []connRef // memory for the next turn's loop.toFlush
	toRead     []connRef // memory for the next turn's loop.toRead
}
