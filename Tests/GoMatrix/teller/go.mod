module teller

go 1.19
