module hello-skrei

go 1.24

require skrei v0.0.0

replace skrei => ../../sdk/go
