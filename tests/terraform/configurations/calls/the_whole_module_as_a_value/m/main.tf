output "name" { value = "web" }
output "ports" { value = [80, 443] }
