defmodule Web.MixProject do
  use Mix.Project

  defp deps do
    [{:plug, "~> 1.11"},
     {:tz, "== 1.0.0", only: [:prod, :test]},
     {:foo, git: "https://git.example/foo.git"},
     {:shop, in_umbrella: true}]
  end
end
