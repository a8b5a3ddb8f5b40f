package configfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Beginnings of references.
const (
	filePrefix       = "file:"
	credentialPrefix = "credential:"
)

// credentialsDirectory is the variable with the folder of systemd's credentials; see
// LoadCredential= in systemd.exec(5).
const credentialsDirectory = "CREDENTIALS_DIRECTORY"

// FilePath returns the path of a file that a value names: a path, relative to a folder, or
// credential:NAME.
func FilePath(value, dir string) (string, error) {
	name, ok := strings.CutPrefix(value, credentialPrefix)
	if !ok {
		if value == "" || filepath.IsAbs(value) {
			return value, nil
		}
		return filepath.Join(dir, value), nil
	}
	folder := os.Getenv(credentialsDirectory)
	switch {
	case name == "" || name != filepath.Base(name) || name == "." || name == "..":
		return "", fmt.Errorf("%q is not the name of a credential; write credential:NAME as in LoadCredential=", name)
	case folder == "":
		return "", errors.New("credential:" + name + " needs systemd, with LoadCredential= in the unit; elsewhere use file:PATH")
	}
	return filepath.Join(folder, name), nil
}

// SecretFile returns the path of the file that a secret value names with file:PATH or
// credential:NAME; "" if the value is the secret itself.
func SecretFile(value, dir string) (string, error) {
	if strings.HasPrefix(value, credentialPrefix) {
		return FilePath(value, dir)
	}
	path, ok := strings.CutPrefix(value, filePrefix)
	switch {
	case !ok:
		return "", nil
	case path == "":
		return "", errors.New("file: names no file; write file:PATH")
	}
	return FilePath(path, dir)
}

// IsReference reports whether a value names a file with a secret, rather than being one.
func IsReference(value string) bool {
	return strings.HasPrefix(value, filePrefix) || strings.HasPrefix(value, credentialPrefix)
}

// resolveAccess makes the paths in the section access independent of the working directory:
// files become absolute or relative to the file's folder, and a secret in a file is given as
// file:PATH.
func (f *File) resolveAccess() {
	cfg := f.Access
	f.resolve(&cfg.ClientsCA, "access.clients-ca", FilePath)
	if cfg.Signed != nil {
		f.resolve(&cfg.Signed.Secrets, "access.signed.secrets", FilePath)
	}
	for i := range cfg.JWT {
		f.resolve(&cfg.JWT[i].Secret, fmt.Sprintf("access.jwt[%d].secret", i), Reference)
	}
	if cfg.Callback != nil {
		f.resolve(&cfg.Callback.Secret, "access.callback.secret", Reference)
	}
}

// resolveDialects does the same for the section dialects.
func (f *File) resolveDialects() {
	for i, d := range f.Dialects {
		if d.Reddit != nil {
			f.resolve(&d.Reddit.Secrets, fmt.Sprintf("dialects[%d].reddit.secrets", i), FilePath)
			f.resolve(&d.Reddit.AdminAuth, fmt.Sprintf("dialects[%d].reddit.admin-auth", i), Reference)
		}
	}
}

func (f *File) resolve(value *string, path string, how func(value, dir string) (string, error)) {
	resolved, err := how(*value, f.Dir())
	if err != nil {
		f.Add(path, err)
		return
	}
	*value = resolved
}

// Reference returns a secret as it is, or file:PATH with a path that does not depend on the
// working directory.
func Reference(value, dir string) (string, error) {
	path, err := SecretFile(value, dir)
	if path == "" || err != nil {
		return value, err
	}
	return filePrefix + path, nil
}

// maxSecret bounds the size of a file with a secret, in bytes. The secrets file of signed URLs
// holds many.
const maxSecret = 1 << 20

// ReadSecret returns the contents of a file without the line break at its end.
func ReadSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() > maxSecret:
		return nil, fmt.Errorf("%s is too large for a secret", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if text = []byte(strings.TrimRight(string(text), "\r\n")); len(text) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return text, nil
}

// Exposed reports whether everyone on the machine may read a file with a secret.
func Exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
