data "template_file" "t" {
  template = file("${path.module}/policy.tpl")
  vars = {
    bucket = "data"
  }
}
data "local_file" "f" {
  filename = "${path.module}/policy.tpl"
}
data "local_file" "outside" {
  filename = "/etc/hostname"
}
data "http" "h" {
  url = "https://example.org"
}
data "aws_caller_identity" "me" {}
resource "aws_thing" "t" {
  rendered = data.template_file.t.rendered
  policy   = data.template_file.t.rendered
  content  = data.local_file.f.content
  outside  = data.local_file.outside.content
  body     = data.http.h.response_body
  account  = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"
}
