locals { changed = "z" }
output "o" { value = "z-${local.kept}" }
resource "aws_instance" "i" {
  twice = local.changed
  added = "z"
}
