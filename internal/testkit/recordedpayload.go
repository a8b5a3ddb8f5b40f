package testkit

import "encoding/json"

// RecordedPayload is what recorded traffic has of a message: a text, or an object with the key base64.
type RecordedPayload struct {
	Bytes []byte
	Given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *RecordedPayload) UnmarshalJSON(raw []byte) error {
	p.Given = true
	var text string
	if json.Unmarshal(raw, &text) == nil {
		p.Bytes = []byte(text)
		return nil
	}
	var encoded struct {
		Base64 []byte `json:"base64"`
	}
	err := json.Unmarshal(raw, &encoded)
	p.Bytes = encoded.Base64
	return err
}
