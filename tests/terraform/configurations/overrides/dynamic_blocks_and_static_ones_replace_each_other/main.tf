resource "aws_group" "a" {
  rule { port = 1 }
  dynamic "rule" {
    for_each = [2, 3]
    content { port = rule.value }
  }
}
resource "aws_group" "b" {
  rule { port = 1 }
}
