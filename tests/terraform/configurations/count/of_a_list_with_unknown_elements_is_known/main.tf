variable "a" {}
variable "b" {}
resource "aws_subnet" "s" {
  count  = length([var.a, var.b])
  cidr   = [var.a, var.b][count.index]
  public = true
}
