package protocol

const (
	CodeRate      = "rate"
	CodeUndecided = "undecided"
)
