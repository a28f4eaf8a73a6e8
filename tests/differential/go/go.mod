module agen-authz/differential

go 1.19
