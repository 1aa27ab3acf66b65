locals {
  teams = {
    developers = ["ann", "bob", "cem"]
    operators  = ["dia", "eli"]
  }
  memberships = merge([
    for team, members in local.teams : { for member in members : "${team}/${member}" => { team = team, member = member } }
  ]...)
}

resource "aws_iam_user" "this" {
  for_each = toset(flatten(values(local.teams)))
  name     = each.value
}

resource "aws_iam_group" "this" {
  for_each = local.teams
  name     = each.key
}

resource "aws_iam_user_group_membership" "this" {
  for_each = local.memberships
  user     = aws_iam_user.this[each.value.member].name
  groups   = [aws_iam_group.this[each.value.team].name]
}

resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = 16
  require_lowercase_characters   = true
  require_numbers                = true
  allow_users_to_change_password = true
  password_reuse_prevention      = 24
}
