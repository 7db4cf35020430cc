// Package skrei is for programs that run inside skrei: progress, values, a log, typed parameters, files that no reader
// ever sees half of.
//
// None of it is needed to be a job, and a program that uses it runs in any other WASI host, too, and natively: where
// nobody listens (SKREI_CHANNEL is not set), progress and values are lines on standard error.
//
//	func main() {
//		skrei.Main(func() error {
//			name := skrei.Param("name", "world")
//			skrei.Progress(0.5, "half way")
//			skrei.Value("greeted", name)
//			return skrei.WriteFile("/out/greeting.txt", []byte("hello "+name+"\n"))
//		})
//	}
package skrei

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
)

var channel = sync.OnceValue(func() *os.File {
	path := os.Getenv("SKREI_CHANNEL")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil
	}
	return file
})

// tell writes one line to the host, or another to people. A host that does not listen any more is no reason to stop
// working.
func tell(message any, spoken string) {
	file := channel()
	if file == nil {
		fmt.Fprintln(os.Stderr, spoken)
		return
	}
	if line, err := json.Marshal(message); err == nil {
		file.Write(append(line, '\n'))
	}
}

type progress struct {
	Fraction float64 `json:"fraction"`
	Message  string  `json:"message"`
}

type value struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// Progress says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing. The latest
// word counts; a host passes on a few a second.
func Progress(fraction float64, message string) {
	if math.IsNaN(fraction) {
		fraction = 0
	}
	fraction = min(max(fraction, 0), 1)
	tell(map[string]progress{"progress": {fraction, message}}, fmt.Sprintf("progress %.0f%% %s", fraction*100, message))
}

// Value reports anything that encoding/json can write, under a key. Of several under one key the latest counts. A host
// keeps 64 of them, up to 16 KiB together, with what became of the program.
func Value(key string, content any) error {
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("value %s: %w", key, err)
	}
	tell(map[string]value{"value": {key, text}}, fmt.Sprintf("value %s=%s", key, text))
	return nil
}

// Log says one message as one line on standard error: the level, the message, and keys with their values.
//
//	skrei.Log("INFO", "copied", "files", 3)
func Log(level, message string, fields ...any) {
	var line strings.Builder
	line.WriteString(level + " " + strings.NewReplacer("\n", " ", "\r", " ").Replace(message))
	for at := 0; at+1 < len(fields); at += 2 {
		text := fmt.Sprint(fields[at+1])
		if text == "" || strings.ContainsAny(text, " \"=\n\r\t") {
			text = strconv.Quote(text)
		}
		fmt.Fprintf(&line, " %v=%s", fields[at], text)
	}
	fmt.Fprintln(os.Stderr, line.String())
}

// Job is what the program runs as.
type Job struct {
	ID, Execution, Node string
	// Kind is batch, ops, service or daemon.
	Kind string
	// Partition is which part of a batch this is, from 0, of Partitions.
	Partition, Partitions int
}

// CurrentJob is the job the program was started for; false if nobody says so, as outside of skrei.
func CurrentJob() (Job, bool) {
	job := Job{
		ID:         os.Getenv("SKREI_JOB_ID"),
		Execution:  os.Getenv("SKREI_EXECUTION_ID"),
		Node:       os.Getenv("SKREI_NODE_ID"),
		Kind:       os.Getenv("SKREI_JOB_TYPE"),
		Partitions: 1,
	}
	if number, err := strconv.Atoi(os.Getenv("SKREI_PARTITION_INDEX")); err == nil {
		job.Partition = number
	}
	if number, err := strconv.Atoi(os.Getenv("SKREI_PARTITION_COUNT")); err == nil {
		job.Partitions = number
	}
	return job, job.ID != ""
}

// usage is an error about a parameter, which Main gives exit code 2.
type usage struct{ error }

// Param reads a parameter: from the argument --name=VALUE or --name VALUE, or else from the variable of that name in
// capitals, and otherwise is what it would be without. In arguments - and _ are the same. What is not of the type ends
// the program, within Main with exit code 2.
func Param[T string | int | int64 | float64 | bool](name string, otherwise T) T {
	text, given := given(name)
	if !given {
		return otherwise
	}
	result := otherwise
	var err error
	switch to := any(&result).(type) {
	case *string:
		*to = text
	case *int:
		*to, err = strconv.Atoi(text)
	case *int64:
		*to, err = strconv.ParseInt(text, 10, 64)
	case *float64:
		*to, err = strconv.ParseFloat(text, 64)
	case *bool:
		if text == "" {
			text = "true"
		}
		*to, err = strconv.ParseBool(text)
	}
	if err != nil {
		// The text itself may be a secret.
		panic(usage{fmt.Errorf("parameter `%s` is not a value of type %T", name, otherwise)})
	}
	return result
}

// Required is Param for what must be given.
func Required[T string | int | int64 | float64 | bool](name string) T {
	if _, given := given(name); !given {
		flag, variable := dashed(name), variable(name)
		panic(usage{fmt.Errorf("parameter `%s` is missing; give it as --%s or as %s", name, flag, variable)})
	}
	var otherwise T
	return Param(name, otherwise)
}

func dashed(name string) string   { return strings.ReplaceAll(name, "_", "-") }
func variable(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

func given(name string) (string, bool) {
	for at := 1; at < len(os.Args) && os.Args[at] != "--"; at++ {
		flag, isFlag := strings.CutPrefix(os.Args[at], "--")
		key, text, hasText := strings.Cut(flag, "=")
		if !isFlag || dashed(key) != dashed(name) {
			continue
		}
		if !hasText && at+1 < len(os.Args) && !strings.HasPrefix(os.Args[at+1], "--") {
			text = os.Args[at+1]
		}
		return text, true
	}
	return os.LookupEnv(variable(name))
}

// ExitError is an error with an exit code of its own; any other is 1.
type ExitError struct {
	Code int
	Err  error
}

func (e ExitError) Error() string { return e.Err.Error() }

// Unwrap gives the error behind the code.
func (e ExitError) Unwrap() error { return e.Err }

// Main runs a program: an error is said on standard error and becomes the exit code.
func Main(program func() error) {
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case usage:
			fmt.Fprintf(os.Stderr, "error: %v\n", problem.error)
			os.Exit(2)
		default:
			panic(problem)
		}
	}()
	if err := program(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		var exit ExitError
		if errors.As(err, &exit) {
			os.Exit(exit.Code)
		}
		os.Exit(1)
	}
}
