module "b" {
  source = "../b"
}
resource "aws_thing" "a" {
  v = module.b.v
}
output "v" { value = "of a" }
