package protocol

import "encoding/json"

// CodeUnauthorized is the code of a credential that is refused, and of a message of a client that
// has to say first who it is.
const CodeUnauthorized = "unauthorized"

// AccessInfo says who a client is, and what it may do.
type AccessInfo struct {
	Name    string          `json:"name"`    // "" for an anonymous client
	Expires *string         `json:"expires"` // null if its credential does not expire
	Grants  json.RawMessage `json:"grants"`
	// Data is what the application that decided about the client has for it.
	Data json.RawMessage `json:"data,omitempty"`
}

// AuthRequired is the first message to a client that has to log in. The hello of the
// session follows once it has.
type AuthRequired struct {
	Op        string `json:"op"`   // hello
	Auth      string `json:"auth"` // required
	TimeoutMS int    `json:"timeout_ms"`
}

// Access tells a client about its credential or its grants.
type Access struct {
	Op string `json:"op"` // access
	// ExpiresIn is in how many seconds the credential expires, if it is about to.
	ExpiresIn *int `json:"expires_in,omitempty"`
	// Changed names the grants that have changed. AccessInfo has what they are now.
	Changed []string `json:"changed,omitempty"`
	// Renewed reports whether the credential was renewed. If it was not, Message says why, and
	// otherwise AccessInfo has what it grants now.
	Renewed *bool  `json:"renewed,omitempty"`
	Message string `json:"message,omitempty"`
	*AccessInfo
}
