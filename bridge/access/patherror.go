package access

import "fmt"

// PathError is an error at a place in a configuration, such as roles.viewer.hear[0].
type PathError struct {
	Path string // "" is the whole of it
	Err  error
}

func (e *PathError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

func (e *PathError) Unwrap() error { return e.Err }

// under returns an error with its path below another one.
func under(path string, err error) error {
	e, ok := err.(*PathError)
	switch {
	case err == nil:
		return nil
	case !ok:
		return &PathError{path, err}
	case e.Path == "":
		return &PathError{path, e.Err}
	case e.Path[0] == '[':
		return &PathError{path + e.Path, e.Err}
	}
	return &PathError{path + "." + e.Path, e.Err}
}

// pathErrorf returns an error at a path.
func pathErrorf(path, format string, args ...any) error {
	return &PathError{path, fmt.Errorf(format, args...)}
}
