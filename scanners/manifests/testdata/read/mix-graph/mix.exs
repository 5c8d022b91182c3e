defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [apps_path: "apps", version: "0.1.0", deps: deps()]
  end

  defp deps do
    [
      {:ex_doc, "~> 0.39", only: [:dev, :test], runtime: false},
      {:local, path: "../local"}
    ]
  end
end
