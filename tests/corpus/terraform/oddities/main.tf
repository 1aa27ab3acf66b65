/* Block comments,
   over lines */
locals { one_line = true }

// An old-style comment
resource "null_resource" "quoted" {
  triggers = {
    "with space"     = "a"
    (local.computed) = "b"
    nested           = { a = { b = { c = [1, [2, [3]]] } } }
  }
}

locals {
  computed    = "key-${local.one_line ? "yes" : "no"}"
  unicode     = "grüße, 世界"
  escaped     = "tab\there \"quoted\" $${not_interpolated} %%{not_directive}"
  arithmetic  = (1 + 2) * 3 % 4 - -5 / 2
  comparison  = 1 < 2 && "a" != "b" || !false
  long        = 1.5e3
  splat       = null_resource.quoted[*].id
  legacy      = [{ a = 1 }].0.a
  grouped     = { for s in ["apple", "avocado", "banana"] : substr(s, 0, 1) => s... }
  conditional = try(local.missing.attribute, "fallback")
  heredoc     = <<EOT
line one
  indented ${local.unicode}
%{if local.one_line~}
kept
%{endif~}
EOT
}

check "health" {
  data "http" "shop" {
    url = "https://shop.example/health"
  }

  assert {
    condition     = data.http.shop.status_code == 200
    error_message = "The shop does not answer."
  }
}

moved {
  from = null_resource.old
  to   = null_resource.quoted
}

import {
  to = null_resource.quoted
  id = "quoted"
}
