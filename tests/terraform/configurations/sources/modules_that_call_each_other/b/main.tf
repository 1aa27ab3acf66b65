module "a" {
  source = "../a"
}
resource "aws_thing" "b" {
  v = module.a.v
}
output "v" { value = "of b" }
