package main

import (
	"slices"
	"testing"
)

func TestEmptyLinesAreNobody(t *testing.T) {
	if got := greetings("Ada\n\n Grace \n", "Hi"); !slices.Equal(got, []string{"Hi, Ada!", "Hi, Grace!"}) {
		t.Fatal(got)
	}
}
