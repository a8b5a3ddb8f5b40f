package model

import (
	"strings"

	"github.com/google/uuid"
)

// Question is a command that the bridge sends to an actor on its own account.
type Question struct {
	Actor         string
	CommandString string
	ID            string // of the command; see [IsQuestion]
}

// questionPrefix is followed by a UUID in the ids of questions.
const questionPrefix = "model-"

func newQuestionID() string { return questionPrefix + uuid.NewString() }

// IsQuestion reports whether a command's id is that of a question of this or another bridge, or
// of an earlier run. The replies to it are answers to a program: they belong neither in snapshots
// nor among the problems of an actor. No client may use such an id.
func IsQuestion(commandID string) bool {
	id, ok := strings.CutPrefix(commandID, questionPrefix)
	if !ok || len(id) != 36 {
		return false
	}
	return uuid.Validate(id) == nil
}
