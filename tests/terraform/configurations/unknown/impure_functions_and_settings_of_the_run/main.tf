resource "aws_thing" "t" {
  time      = timestamp()
  uuid      = uuid()
  hash      = bcrypt("x")
  workspace = terraform.workspace
  name      = "app-${terraform.workspace}"
  fixed     = uuidv5("dns", "example.org")
  when      = formatdate("YYYY", "2024-05-06T07:08:09Z")
  plus      = timeadd("2024-01-01T00:00:00Z", "36h")
  cond      = terraform.workspace == "prod" ? true : false
}
