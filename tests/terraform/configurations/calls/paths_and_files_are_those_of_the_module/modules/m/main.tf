resource "aws_thing" "there" {
  module   = path.module
  root     = path.root
  text     = trimspace(file("${path.module}/files/note.tpl"))
  rendered = trimspace(templatefile("${path.module}/files/note.tpl", { name = "x" }))
  set      = fileset("${path.module}/files", "*.tpl")
  there    = fileexists("${path.module}/files/note.tpl")
  missing  = fileexists("${path.module}/files/none.tpl")
  gone     = file("${path.module}/files/none.tpl")
}
