module movies-parser

go 1.19
