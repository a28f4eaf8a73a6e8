module agen-authz/signing

go 1.19
