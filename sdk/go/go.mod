module skrei

go 1.24
