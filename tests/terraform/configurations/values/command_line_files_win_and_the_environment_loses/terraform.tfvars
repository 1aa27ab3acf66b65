w = "terraform.tfvars"
x = "terraform.tfvars"
