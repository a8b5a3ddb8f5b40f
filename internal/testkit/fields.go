package testkit

import (
	"fmt"
	"strings"
)

// ObjectWithFields returns a JSON object with n fields.
func ObjectWithFields(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"%d":1`, i)
	}
	return "{" + strings.Join(fields, ",") + "}"
}
