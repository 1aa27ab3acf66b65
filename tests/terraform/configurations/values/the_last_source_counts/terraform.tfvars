w = "terraform.tfvars"
x = "terraform.tfvars"
y = "terraform.tfvars"
z = "terraform.tfvars"
