// Greets everybody in a file.
package main

import (
	"fmt"
	"os"
	"strings"

	"skrei"
)

func main() {
	skrei.Main(func() error {
		text, err := os.ReadFile(skrei.Param("names", "/in/names.txt"))
		if err != nil {
			return err
		}
		greetings := greetings(string(text), skrei.Param("greeting", "Hello"))
		for done, greeting := range greetings {
			skrei.Progress(float64(done)/float64(len(greetings)), greeting)
			fmt.Println(greeting)
		}
		return skrei.Value("greeted", len(greetings))
	})
}

func greetings(names, greeting string) (all []string) {
	for line := range strings.Lines(names) {
		if name := strings.TrimSpace(line); name != "" {
			all = append(all, fmt.Sprintf("%s, %s!", greeting, name))
		}
	}
	return all
}
