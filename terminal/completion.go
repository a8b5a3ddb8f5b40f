package terminal

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/internal/shlex"
	"github.com/clu-ws/clu-ws/terminal/complete"
)

// What the arguments of a subcommand are, for completion.
const (
	TakesNothing  = ""
	TakesCommand  = "command"  // an actor and the words of a command
	TakesActor    = "actor"    // the name of an actor
	TakesKeywords = "keywords" // ACTOR.KEYWORD, or ACTOR alone
	TakesFile     = "file"     // which the shell completes by itself
)

// Subcommand is what completion knows of a subcommand.
type Subcommand struct {
	Name, Help string
	Takes      string
	Words      []string // the only arguments that there are
	Flags      []Flag
}

// Flag is what completion knows of a flag.
type Flag struct {
	Name, Help string // the name with its dashes
	TakesValue bool
}

// completionTime bounds what is asked of the bridge for one completion: somebody waits with a finger on Tab.
const completionTime = 300 * time.Millisecond

// Complete prints what could follow in the line of a shell that begins with the program's name, one candidate a line,
// with what it is behind a tab. It asks the bridge, for a moment, and remembers the answers in the folder.
func Complete(ctx context.Context, e *Env, all []Subcommand, line, folder string) error {
	ctx, stop := context.WithTimeout(ctx, completionTime)
	defer stop()
	k := &knowledge{env: e, folder: folder}
	defer k.close()
	for _, one := range candidatesIn(ctx, k, all, line) {
		if strings.ContainsAny(one.Text, "\t\n") {
			continue
		}
		detail := strings.Join(strings.Fields(visible(one.Detail)), " ")
		if _, err := io.WriteString(e.Stdout, strings.TrimRight(visible(one.Text)+"\t"+detail, "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// candidatesIn returns what could follow.
func candidatesIn(ctx context.Context, k *knowledge, all []Subcommand, line string) []complete.Candidate {
	words, open := shlex.Lex(line)
	typed := ""
	if n := len(words); n > 0 && (open != 0 || words[n-1].End == len(line)) {
		typed, words = words[n-1].Text, words[:n-1]
	}
	if len(words) == 0 {
		return nil // the program itself
	}
	if len(words) == 1 {
		var found []complete.Candidate
		for _, s := range all {
			found = append(found, complete.Candidate{Text: s.Name, Detail: s.Help})
		}
		return beginning(found, typed)
	}
	i := slices.IndexFunc(all, func(s Subcommand) bool { return s.Name == words[1].Text })
	if i < 0 {
		return nil
	}
	args, valueOf := arguments(&all[i], words[2:])
	switch {
	case valueOf:
		return nil
	case strings.HasPrefix(typed, "-") && (all[i].Takes != TakesCommand || len(args) == 0):
		var found []complete.Candidate
		for _, f := range all[i].Flags {
			found = append(found, complete.Candidate{Text: f.Name, Detail: f.Help})
		}
		return beginning(found, typed)
	}
	return k.candidates(ctx, &all[i], args, typed)
}

// arguments returns the words that are no flags, and whether the next word is the value of one.
func arguments(s *Subcommand, words []shlex.Word) (args []string, valueOf bool) {
	for i := 0; i < len(words); i++ {
		word := words[i].Text
		n := slices.IndexFunc(s.Flags, func(f Flag) bool { return f.Name == word })
		switch {
		case n >= 0 && s.Flags[n].TakesValue:
			if i++; i == len(words) {
				return args, true
			}
		case n >= 0, strings.HasPrefix(word, "-") && len(args) == 0: // --flag=value
		default:
			args = append(args, word)
		}
	}
	return args, false
}

// candidates returns the next argument of a subcommand.
func (k *knowledge) candidates(ctx context.Context, s *Subcommand, args []string, typed string) []complete.Candidate {
	switch {
	case len(s.Words) > 0 && len(args) == 0:
		var found []complete.Candidate
		for _, w := range s.Words {
			found = append(found, complete.Candidate{Text: w})
		}
		return beginning(found, typed)
	case s.Takes == TakesCommand && len(args) > 0:
		line := shlex.Join(args[1:])
		if line != "" {
			line += " "
		}
		if typed != "" {
			line += shlex.Quote(typed)
		}
		return beginning(complete.Command(line, k.commands(ctx, args[0])).Candidates, typed)
	case s.Takes == TakesCommand, s.Takes == TakesActor && len(args) == 0:
		return beginning(named(k.actors(ctx), ""), typed)
	case s.Takes == TakesKeywords:
		if actor, _, dotted := strings.Cut(typed, "."); dotted {
			return beginning(named(k.keywords(ctx, actor), actor+"."), typed)
		}
		return beginning(named(k.actors(ctx), ""), typed)
	}
	return nil
}

func named(names []string, before string) (all []complete.Candidate) {
	for _, name := range names {
		all = append(all, complete.Candidate{Text: before + shlex.Quote(name)})
	}
	return all
}

// beginning returns the candidates that begin with what was typed: shells offer no others.
func beginning(all []complete.Candidate, typed string) []complete.Candidate {
	return slices.DeleteFunc(all, func(c complete.Candidate) bool {
		return !strings.HasPrefix(c.Text, typed) && !strings.HasPrefix(strings.TrimLeft(c.Text, `'"`), typed)
	})
}

// completionScripts are the functions that the shells call. Each hands over the line up to the cursor.
var completionScripts = map[string]string{
	"bash": `# Completion of clu-ws for bash. In ~/.bashrc:  source <(clu-ws completion bash)
_clu_ws() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		COMPREPLY+=("${line%%$'\t'*}")
	done < <("${COMP_WORDS[0]}" completion line -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
	# An actor may be the beginning of a keyword.
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMP_WORDS[1]} =~ ^(get|plot|listen|record)$ && ${COMPREPLY[0]} != *.* && ${COMPREPLY[0]} != -* ]]; then
		compopt -o nospace 2>/dev/null
	fi
}
complete -o default -F _clu_ws clu-ws
`,
	"zsh": `#compdef clu-ws
# Completion of clu-ws for zsh. In ~/.zshrc, after compinit:  source <(clu-ws completion zsh)
_clu_ws() {
	local line
	local -a found
	while IFS= read -r line; do
		found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done < <("${words[1]}" completion line -- "${(j: :)words[1,CURRENT]}" 2>/dev/null)
	if (( ${#found} )); then
		_describe -V 'clu-ws' found
	else
		_files
	fi
}
# The file _clu-ws of a folder in fpath is the body of a function, which must complete when it is first called, too.
if [[ ${funcstack[1]} == _clu-ws ]]; then
	_clu_ws "$@"
else
	compdef _clu_ws clu-ws
fi
`,
	"fish": `# Completion of clu-ws for fish. In ~/.config/fish/config.fish:  clu-ws completion fish | source
complete -c clu-ws -f -k -a '(clu-ws completion line -- (commandline -cp | string collect) 2>/dev/null)'
complete -c clu-ws -n '__fish_seen_subcommand_from record replay' -F
`,
}

// CompletionScript returns what a shell runs to complete the program's lines.
func CompletionScript(shell string) (string, error) {
	script, ok := completionScripts[shell]
	if !ok {
		return "", Usage("there is a completion for bash, zsh and fish, not for %q", shell)
	}
	return script, nil
}
