"""ldnsim: low-dose naltrexone, from dose to opioid tone.

    import ldnsim as ldn
    scenario = ldn.load_scenario("night_vs_morning")
    result = ldn.simulate(scenario)
    table = ldn.summarize(result)

The public names are listed in `__init__.pyi`. Each is loaded when it is first used, so that `ldnsim --help` stays fast.

For research and teaching: never dose advice, never a prediction for one person.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
