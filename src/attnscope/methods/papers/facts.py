"""PAPERS: each paper once. OF_METHODS: where a method of METHODS is from; OF_STUDIES: the same of what else is run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """authors: "First Last", in order; etal: more follow. where: the journal; arxiv: its number there."""

    authors: tuple[str, ...]
    title: str
    year: int
    arxiv: str = ""
    where: str = ""
    etal: bool = False

    @property
    def key(self) -> str:
        """The key of its BibTeX entry: the first author's last name, the year, the title's first word."""
        plain = "".join(c for c in self.authors[0].split()[-1].lower() if c.isascii() and c.isalnum())
        words = (word.strip("“”(),:?’").lower() for word in self.title.split())
        first = next(word for word in words if word.isascii() and word.isalpha() and word not in _SMALL)
        return f"{plain}{self.year}{first}"

    @property
    def short(self) -> str:
        """As a text names it: authors and year."""
        names = [name.split()[-1] for name in self.authors]
        if len(names) > 2 or self.etal:
            return f"{names[0]} et al., {self.year}"
        return f"{' and '.join(names)}, {self.year}"

    def bibtex(self) -> str:
        """Its entry."""
        fields = {
            "author": " and ".join((*map(_tex, map(_last_first, self.authors)), *(["others"] if self.etal else []))),
            "title": "{" + _tex(self.title) + "}",
            "year": str(self.year),
        }
        if self.where:
            fields["journal"] = _tex(self.where)
        if self.arxiv:
            fields |= {"eprint": self.arxiv, "archivePrefix": "arXiv", "url": f"https://arxiv.org/abs/{self.arxiv}"}
        kind = "article" if self.where else "misc"
        return entry(kind, self.key, fields)


_SMALL = frozenset(("a", "an", "the", "on", "of", "is", "not", "in"))
_TEX = {"&": r"\&", "ö": r'{\"o}', "ü": r'{\"u}', "ó": r"{\'o}", "á": r"{\'a}", "é": r"{\'e}", "ø": r"{\o}",
        "ł": r"{\l}", "Ł": r"{\L}", "ą": r"{\k{a}}", "“": "``", "”": "''", "’": "'"}  # fmt: skip


def entry(kind: str, key: str, fields: dict[str, str]) -> str:
    """A BibTeX entry."""
    return "\n".join((f"@{kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"))


def _last_first(name: str) -> str:
    *first, last = name.split()
    return f"{last}, {' '.join(first)}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _paper(arxiv: str, year: int, title: str, *authors: str, etal: bool = False) -> tuple[str, Paper]:
    return arxiv, Paper(authors, title, year, arxiv, etal=etal)


# By their numbers on arXiv; those that are not there by their first author and year.
PAPERS: dict[str, Paper] = dict(
    (
        _paper("1311.2901", 2013, "Visualizing and Understanding Convolutional Networks", "Matthew D. Zeiler",
               "Rob Fergus"),
        _paper("1509.06321", 2015, "Evaluating the Visualization of What a Deep Neural Network Has Learned",
               "Wojciech Samek", "Alexander Binder", "Grégoire Montavon", "Sebastian Bach", "Klaus-Robert Müller"),
        _paper("1602.04938", 2016, "“Why Should I Trust You?”: Explaining the Predictions of Any Classifier",
               "Marco Tulio Ribeiro", "Sameer Singh", "Carlos Guestrin"),
        _paper("1605.01713", 2016,
               "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences",
               "Avanti Shrikumar", "Peyton Greenside", "Anna Shcherbina", "Anshul Kundaje"),
        _paper("1703.01365", 2017, "Axiomatic Attribution for Deep Networks", "Mukund Sundararajan", "Ankur Taly",
               "Qiqi Yan"),
        _paper("1705.07874", 2017, "A Unified Approach to Interpreting Model Predictions", "Scott M. Lundberg",
               "Su-In Lee"),
        _paper("1706.03762", 2017, "Attention Is All You Need", "Ashish Vaswani", "Noam Shazeer", "Niki Parmar",
               "Jakob Uszkoreit", "Llion Jones", "Aidan N. Gomez", "Łukasz Kaiser", "Illia Polosukhin"),
        _paper("1706.03825", 2017, "SmoothGrad: Removing Noise by Adding Noise", "Daniel Smilkov", "Nikhil Thorat",
               "Been Kim", "Fernanda Viégas", "Martin Wattenberg"),
        _paper("1806.07421", 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models",
               "Vitali Petsiuk", "Abir Das", "Kate Saenko"),
        _paper("1810.03292", 2018, "Sanity Checks for Saliency Maps", "Julius Adebayo", "Justin Gilmer",
               "Michael Muelly", "Ian Goodfellow", "Moritz Hardt", "Been Kim"),
        _paper("1901.09392", 2019, "On the (In)fidelity and Sensitivity for Explanations", "Chih-Kuan Yeh",
               "Cheng-Yu Hsieh", "Arun Sai Suggala", "David I. Inouye", "Pradeep Ravikumar"),
        _paper("1905.09418", 2019,
               "Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned",
               "Elena Voita", "David Talbot", "Fedor Moiseev", "Rico Sennrich", "Ivan Titov"),
        _paper("1906.04284", 2019, "Analyzing the Structure of Attention in a Transformer Language Model",
               "Jesse Vig", "Yonatan Belinkov"),
        _paper("1906.04341", 2019, "What Does BERT Look At? An Analysis of BERT’s Attention", "Kevin Clark",
               "Urvashi Khandelwal", "Omer Levy", "Christopher D. Manning"),
        _paper("1906.10670", 2019,
               "Improving Performance of Deep Learning Models with Axiomatic Attribution Priors and Expected Gradients",
               "Gabriel Erion", "Joseph D. Janizek", "Pascal Sturmfels", "Scott Lundberg", "Su-In Lee"),
        _paper("1911.03429", 2019, "ERASER: A Benchmark to Evaluate Rationalized NLP Models", "Jay DeYoung",
               "Sarthak Jain", "Nazneen Fatema Rajani", "Eric Lehman", "Caiming Xiong", "Richard Socher",
               "Byron C. Wallace"),
        _paper("2004.10102", 2020,
               "Attention is Not Only a Weight: Analyzing Transformers with Vector Norms", "Goro Kobayashi",
               "Tatsuki Kuribayashi", "Sho Yokoi", "Kentaro Inui"),
        _paper("2005.00928", 2020, "Quantifying Attention Flow in Transformers", "Samira Abnar", "Willem Zuidema"),
        _paper("2009.13295", 2020, "A Diagnostic Study of Explainability Techniques for Text Classification",
               "Pepa Atanasova", "Jakob Grue Simonsen", "Christina Lioma", "Isabelle Augenstein"),
        _paper("2010.00667", 2020,
               "Learning Variational Word Masks to Improve the Interpretability of Neural Text Classifiers",
               "Hanjie Chen", "Yangfeng Ji"),
        _paper("2103.15679", 2021,
               "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers",
               "Hila Chefer", "Shir Gur", "Lior Wolf"),
        _paper("2104.12199", 2021, "Sampling Permutations for Shapley Value Estimation", "Rory Mitchell",
               "Joshua Cooper", "Eibe Frank", "Geoffrey Holmes"),
        _paper("2209.11895", 2022, "In-context Learning and Induction Heads", "Catherine Olsson", "Nelson Elhage",
               "Neel Nanda", etal=True),
        _paper("2211.00593", 2022,
               "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
               "Kevin Wang", "Alexandre Variengien", "Arthur Conmy", "Buck Shlegeris", "Jacob Steinhardt"),
        _paper("2301.12971", 2023, "Quantifying Context Mixing in Transformers", "Hosein Mohebbi", "Willem Zuidema",
               "Grzegorz Chrupała", "Afra Alishahi"),
        _paper("2303.14186", 2023, "TRAK: Attributing Model Behavior at Scale", "Sung Min Park", "Kristian Georgiev",
               "Andrew Ilyas", "Guillaume Leclerc", "Aleksander Mądry"),
        _paper("2304.14767", 2023,
               "Dissecting Recall of Factual Associations in Auto-Regressive Language Models", "Mor Geva",
               "Jasmijn Bastings", "Katja Filippova", "Amir Globerson"),
        _paper("2305.10496", 2023, "Incorporating Attribution Importance for Improving Faithfulness Metrics",
               "Zhixue Zhao", "Nikolaos Aletras"),
        _paper("2306.04528", 2023,
               "PromptRobust: Towards Evaluating the Robustness of Large Language Models on Adversarial Prompts",
               "Kaijie Zhu", "Jindong Wang", "Jiaheng Zhou", "Zichen Wang", "Hao Chen", "Yidong Wang", "Linyi Yang",
               "Wei Ye", "Yue Zhang", "Neil Zhenqiang Gong", "Xing Xie"),
        _paper("2309.17453", 2023, "Efficient Streaming Language Models with Attention Sinks", "Guangxuan Xiao",
               "Yuandong Tian", "Beidi Chen", "Song Han", "Mike Lewis"),
        _paper("2310.05703", 2023, "An Attribution Method for Siamese Encoders", "Lucas Moeller", "Dmitry Nikolaev",
               "Sebastian Padó"),
        _paper("2310.10348", 2023, "Attribution Patching Outperforms Automated Circuit Discovery", "Aaquib Syed",
               "Can Rager", "Arthur Conmy"),
        _paper("2404.15574", 2024, "Retrieval Head Mechanistically Explains Long-Context Factuality", "Wenhao Wu",
               "Yizhong Wang", "Guangxuan Xiao", "Hao Peng", "Yao Fu"),
        _paper("2405.21060", 2024,
               "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State Space "
               "Duality", "Tri Dao", "Albert Gu"),
        _paper("2408.08137", 2024,
               "Normalized AOPC: Fixing Misleading Faithfulness Metrics for Feature Attribution Explainability",
               "Joakim Edin", "Andreas Geert Motzfeldt", "Casper L. Christensen", "Tuukka Ruotsalo", "Lars Maaløe",
               "Maria Maistro"),
        _paper("2409.00729", 2024, "ContextCite: Attributing Model Generation to Context", "Benjamin Cohen-Wang",
               "Harshay Shah", "Kristian Georgiev", "Aleksander Mądry"),
        _paper("2412.06464", 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule", "Songlin Yang",
               "Jan Kautz", "Ali Hatamizadeh"),
        _paper("2504.13752", 2025, "Learning to Attribute with Attention", "Benjamin Cohen-Wang", "Yung-Sung Chuang",
               "Aleksander Mądry"),
        _paper("2505.17630", 2025, "GIM: Improved Interpretability for Large Language Models", "Joakim Edin",
               "Róbert Csordás", "Tuukka Ruotsalo", "Zhengxuan Wu", "Maria Maistro", "Jing Huang", "Lars Maaløe"),
    )
) | {
    "castro2009": Paper(("Javier Castro", "Daniel Gómez", "Juan Tejada"),
                        "Polynomial Calculation of the Shapley Value Based on Sampling", 2009,
                        where="Computers & Operations Research 36(5)"),
}  # fmt: skip

OF_METHODS: dict[str, tuple[str, ...]] = {
    "attention": ("1706.03762",),
    "attention_flow": ("2005.00928",),
    "attention_gradient": ("2103.15679",),
    "deletion": ("2306.04528",),
    "gim": ("2505.17630",),
    "gradient": ("2306.04528",),
    "gradient_shap": ("1705.07874", "1906.10670"),
    "gradient_x_input": ("1605.01713",),
    "integrated_gradients": ("1703.01365",),
    "lime": ("1602.04938",),
    "occlusion": ("1311.2901",),
    "rollout": ("2005.00928",),
    "shapley": ("castro2009", "2104.12199"),
    "smooth_grad": ("1706.03825",),
    "surrogate": ("2409.00729",),
    "value_norm": ("2004.10102",),
    "value_zeroing": ("2301.12971",),
}
OF_STUDIES: dict[str, tuple[str, ...]] = {
    "comparison": ("2306.04528",),
    "similarity": ("2310.05703",),
    "knock_out": ("2304.14767",),
    "head_effects": ("2310.10348",),
    "cite by surrogate": ("2409.00729",),
    "cite by heads": ("2504.13752",),
    "gated delta rule": ("2412.06464",),
    "Mamba 2": ("2405.21060",),
}


def papers_of(method: str) -> list[Paper]:
    """The papers of a method, the first the oldest; none where it is nobody's."""
    return [PAPERS[number] for number in OF_METHODS.get(method, ())]


def named(papers: list[Paper]) -> str:
    """Papers in one line, as tables of methods have them.

    >>> named(papers_of("rollout"))
    'Abnar and Zuidema, 2020, arXiv:2005.00928'
    """
    return "; ".join(f"{paper.short}, arXiv:{paper.arxiv}" if paper.arxiv else paper.short for paper in papers)
