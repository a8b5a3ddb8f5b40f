package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// File says who may use the file of a Unix socket. The zero value leaves that to [Options] and
// the process.
type File struct {
	Mode  fs.FileMode // 0 is that of Options
	Group string      // name or number; "" is the process's own

	gid int // of Group
}

// ParseMode parses an octal mode.
func ParseMode(s string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, fmt.Errorf("%q is not a mode; write it in octal, as 0660 for a user and a group", s)
	}
	return fs.FileMode(mode), nil
}

// fileForm describes the options of a Unix socket, for error messages.
const fileForm = "write unix:/path?mode=0660&group=www-data, or leave one of them out"

// parseFile parses mode=MODE&group=GROUP.
func parseFile(query string) (f File, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return f, errors.New(fileForm)
	}
	for key, list := range values {
		switch {
		case key != "mode" && key != "group":
			return f, fmt.Errorf("a socket has no %q; %s", key, fileForm)
		case len(list) > 1 || list[0] == "":
			return f, fmt.Errorf("%s must have one value; %s", key, fileForm)
		}
	}
	if values.Has("mode") {
		if f.Mode, err = ParseMode(values.Get("mode")); err != nil {
			return f, err
		}
		if f.Mode&0o222 == 0 {
			return f, fmt.Errorf("the mode %s lets nobody connect, which takes the permission to write; %s", values.Get("mode"), fileForm)
		}
	}
	if f.Group = values.Get("group"); f.Group != "" {
		f.gid, err = groupID(f.Group)
	}
	return f, err
}

// groupID returns the number of a group.
func groupID(group string) (int, error) {
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("this machine has no group %q in /etc/group; create it with groupadd, or write its number", group)
	}
	return strconv.Atoi(found.Gid)
}

// query returns what [parseFile] parses, with a question mark in front; "" for the zero value.
func (f File) query() string {
	var parts []string
	if f.Mode != 0 {
		parts = append(parts, fmt.Sprintf("mode=%04o", f.Mode))
	}
	if f.Group != "" {
		parts = append(parts, "group="+url.QueryEscape(f.Group))
	}
	if parts == nil {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

var lchown = os.Lchown // replaced by tests: a privileged user is never refused

// apply gives a socket's file to the group, and then the mode, so that at no time another group
// may use it.
func (f File) apply(path string, mode fs.FileMode) error {
	if f.Group != "" {
		if err := lchown(path, -1, f.gid); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("this user may not give the socket %s to the group %s; make the user a member of it (usermod -aG, or SupplementaryGroups= in the unit)", path, f.Group)
		} else if err != nil {
			return fmt.Errorf("cannot give the socket %s to the group %s: %w", path, f.Group, err)
		}
	}
	// The umask may have removed more permissions than the mode.
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("cannot set the mode of the socket %s: %w", path, err)
	}
	return nil
}
