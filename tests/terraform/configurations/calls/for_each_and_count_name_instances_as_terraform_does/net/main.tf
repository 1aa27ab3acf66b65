variable "cidr" {
  type = string
}
variable "subnets" {
  type    = number
  default = 1
}
variable "public" {
  default = false
}
resource "aws_subnet" "a" {
  count                   = var.subnets
  cidr_block              = cidrsubnet(var.cidr, 8, count.index)
  map_public_ip_on_launch = var.public
}
output "cidrs" {
  value = aws_subnet.a[*].cidr_block
}
output "ids" {
  value = aws_subnet.a[*].id
}
