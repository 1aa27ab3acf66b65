resource "aws_ebs_volume" "good" {
  encrypted = false
}

resource "aws_ebs_volume" "bad" {
  size = 10 +
}

resource "aws_efs_file_system" "after" {
  encrypted = false
}
